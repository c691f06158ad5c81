import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Latch, Layer } from "effect"
import type { TaskId } from "../../src/domain/Task.ts"
import { Draining } from "../../src/engine/Draining.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { blocksOf, eventsOf, openStream, type SseEvent } from "./sse.ts"
import { echoRunner, get, open, problemOf, served, submit, submitted, tasks } from "./support.ts"

/** Waits until it is let go. */
const gates = new Map<string, Latch.Latch>()
const gateOf = (content: string) => {
  const known = gates.get(content) ?? Latch.makeUnsafe(false)
  gates.set(content, known)
  return known
}
const gated = Layer.succeed(TaskRunner, {
  run: (task, handle) =>
    Effect.gen(function* () {
      yield* gateOf(task.content).await
      yield* handle.log("begun\nwith two lines")
      yield* handle.progress(25, "a quarter")
      return task.content
    })
})

const make = (content: string, more: Readonly<Record<string, unknown>> = {}) =>
  Effect.map(
    Effect.flatMap(submit({ content, ...more }), ({ text }) => submitted(text)),
    ({ task_id }) => task_id
  )
const path = (id: TaskId) => `/api/v1/tasks/${id}/events`
const names = (events: ReadonlyArray<SseEvent>) =>
  events.map(({ data, event }) => `${event} ${String(data["status"] ?? data["line"] ?? data["percent"])}`)
const has = (status: string) => (text: string) => text.includes(`"status":"${status}"`)

layer(served({ runner: gated }), { excludeTestServices: true })("The stream of a task", (it) => {
  it.effect("is a stream of events, from its present state to its final one", () =>
    Effect.gen(function* () {
      const id = yield* make("first")
      const stream = yield* openStream(path(id), { accept: "text/event-stream" })
      assert.strictEqual(stream.response.statusCode, 200)
      const { headers } = stream.response
      assert.strictEqual(headers["content-type"], "text/event-stream")
      assert.strictEqual(headers["cache-control"], "no-store")
      yield* stream.until(has("PROCESSING"))
      yield* gateOf("first").open
      const text = yield* stream.end
      assert.isTrue(text.endsWith("\n\n"))
      const events = eventsOf(text)
      assert.lengthOf(events, blocksOf(text).length)
      const [first, ...others] = events
      assert.strictEqual(first?.event, "status")
      assert.deepStrictEqual(others.at(-1)?.data, {
        task_id: id,
        status: "COMPLETED",
        attempt: 1,
        run_at: first?.data["run_at"],
        result: "first",
        failure: null
      })
      assert.include(
        others.map(({ data }) => JSON.stringify(data)),
        JSON.stringify({ task_id: id, percent: 25, message: "a quarter" })
      )
      const line = others.find(({ data }) => String(data["line"]).includes("begun"))
      assert.match(String(line?.data["line"]), /begun ⏎ with two lines$/)
      const ids = events.map(({ id }) => Number(id))
      assert.deepStrictEqual(
        ids,
        Array.from(new Set(ids)).sort((a, b) => a - b)
      )
    })
  )

  it.effect("goes on after the last event that came, and says when there will be no more", () =>
    Effect.gen(function* () {
      const id = yield* make("second")
      const broken = yield* openStream(path(id))
      const [known] = eventsOf(yield* broken.until((text) => eventsOf(text).length >= 1))
      yield* broken.hangUp
      yield* gateOf("second").open
      const after = { "last-event-id": known?.id ?? "" }
      const rest = eventsOf(yield* (yield* openStream(path(id), after)).end)
      assert.strictEqual(names(rest).at(-1), "status COMPLETED")
      assert.isTrue(rest.every(({ id }) => Number(id) > Number(known?.id)))
      const last = rest.at(-1)?.id ?? ""
      const over = yield* get(path(id), { "last-event-id": last })
      assert.strictEqual(over.status, 204)
      assert.strictEqual(over.text, "")
      // as if it had never been here: an empty id is none
      const again = eventsOf((yield* get(path(id), { "last-event-id": "" })).text)
      assert.deepStrictEqual(names(again), ["status COMPLETED"])
    })
  )

  it.effect("begins with a reset after an event that nobody knows", () =>
    Effect.gen(function* () {
      const id = yield* make("third")
      yield* gateOf("third").open
      yield* (yield* openStream(path(id))).end
      for (const unknown of ["0", "-1", "12a", "1e3", "9".repeat(30), "9".repeat(5000), "\u00e9"]) {
        const { status, text } = yield* get(path(id), { "last-event-id": unknown })
        assert.strictEqual(status, 200, unknown)
        assert.deepStrictEqual(names(eventsOf(text)), ["reset COMPLETED"], unknown)
      }
    })
  )

  it.effect("tells of a cancel", () =>
    Effect.gen(function* () {
      const id = yield* make("fourth")
      const stream = yield* openStream(path(id))
      yield* stream.until(has("PROCESSING"))
      const { cancel } = yield* Orchestrator
      yield* cancel(id)
      const last = eventsOf(yield* stream.end).at(-1)
      assert.deepStrictEqual(last?.data["failure"], { reason: "cancelled", message: "cancelled on request" })
      assert.isNull(last?.data["result"])
    })
  )

  it.effect("is refused for what is no task, or not asked for rightly", () =>
    Effect.gen(function* () {
      const unknown = "/api/v1/tasks/0198c0de-0000-7000-8000-00000000ffff/events"
      const missing = yield* problemOf(yield* get(unknown))
      assert.strictEqual(missing.status, 404)
      assert.strictEqual(missing.task_id, "0198c0de-0000-7000-8000-00000000ffff")
      const wrong = yield* problemOf(yield* get("/api/v1/tasks/1/events"))
      assert.strictEqual(wrong.errors?.[0]?.path, "id")
      const surplus = yield* problemOf(yield* get(`${unknown}?last_event_id=1`))
      assert.strictEqual(surplus.errors?.[0]?.path, "last_event_id")
      assert.strictEqual((yield* problemOf(yield* get(unknown, { accept: "application/json" }))).status, 406)
    })
  )

  it.effect("does not begin for a HEAD", () =>
    Effect.gen(function* () {
      const socket = yield* open
      const id = yield* make("fifth")
      const answer = yield* Effect.callback<string>((resume) => {
        socket.on("data", (bytes: Buffer) => resume(Effect.succeed(bytes.toString())))
        socket.write(`HEAD ${path(id)} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
      })
      assert.match(answer, /^HTTP\/1.1 200 OK\r\n/)
      assert.isTrue(answer.endsWith("\r\n\r\n"))
    })
  )
})

layer(served({ runner: gated }), { excludeTestServices: true })("The stream of all tasks", (it) => {
  it.effect("tells of every task from the moment it is open, and goes on where it was", () =>
    Effect.gen(function* () {
      const stream = yield* openStream("/api/v1/events")
      const [first = ""] = blocksOf(yield* stream.until((text) => text.includes("\n\n")))
      assert.match(first, /^id: \d+$/)
      const ids = [yield* make("one", { type: "a" }), yield* make("two", { type: "b", tags: ["t"] })]
      yield* gateOf("one").open
      yield* gateOf("two").open
      const enough = (text: string) => text.split(`"status":"COMPLETED"`).length === 3
      const events = eventsOf(yield* stream.until(enough))
      for (const id of ids) {
        const own = names(events.filter(({ data }) => data["task_id"] === id))
        const states = own.filter((name) => name.startsWith("status"))
        assert.deepStrictEqual(states, ["status PENDING", "status PROCESSING", "status COMPLETED"])
      }
      const from = { "last-event-id": first.slice("id: ".length) }
      const again = yield* openStream("/api/v1/events", from)
      assert.deepStrictEqual(eventsOf(yield* again.until(enough)), events)
      for (const filter of ["type=b", "tag=t", "type=b&tag=t"]) {
        const some = yield* openStream(`/api/v1/events?${filter}`, from)
        const told = eventsOf(yield* some.until(has("COMPLETED")))
        assert.isTrue(told.every(({ data }) => data["task_id"] === ids[1]))
      }
      const completed = yield* openStream("/api/v1/events?status=COMPLETED", from)
      const told = eventsOf(yield* completed.until(enough))
      assert.deepStrictEqual(
        new Set(names(told).filter((name) => name.startsWith("status"))),
        new Set(["status COMPLETED"])
      )
    })
  )

  it.effect("counts the tasks when it cannot go on", () =>
    Effect.gen(function* () {
      const stream = yield* openStream("/api/v1/events", { "last-event-id": "1" })
      const text = yield* stream.until((text) => text.includes("\n\n"))
      const [reset] = eventsOf(text)
      assert.lengthOf(blocksOf(text), 1)
      assert.strictEqual(reset?.event, "reset")
      assert.hasAllKeys(reset?.data["counts"], ["PENDING", "PROCESSING", "COMPLETED", "FAILED"])
    })
  )

  it.effect("is refused with what is wrong in the query", () =>
    Effect.gen(function* () {
      const { errors } = yield* problemOf(yield* get("/api/v1/events?status=DONE&q=x"))
      assert.sameMembers(errors?.map(({ path }) => path) ?? [], ["status", "q"])
    })
  )
})

layer(served({ memory: { tasks: tasks(1, () => ({ content: "waiting", runAt: 4_000_000_000_000 })) } }), {
  excludeTestServices: true
})("When draining begins", (it) => {
  it.effect("streams end, and those who come then are told how things stand", () =>
    Effect.gen(function* () {
      const id = "0198c0de-0000-7000-8000-000000000000"
      const own = yield* openStream(`/api/v1/tasks/${id}/events`)
      const all = yield* openStream("/api/v1/events")
      yield* own.until(has("PENDING"))
      yield* all.until((text) => text.includes("id: "))
      const waiting = yield* Effect.forkChild(get(`/api/v1/tasks/${id}`, { prefer: "wait=60" }))
      yield* Effect.flatMap(Draining, ({ begin }) => begin)
      assert.deepStrictEqual(names(eventsOf(yield* own.end)), ["status PENDING"])
      yield* all.end
      assert.deepStrictEqual(names(eventsOf((yield* get(`/api/v1/tasks/${id}/events`)).text)), ["status PENDING"])
      const { status, text } = yield* Fiber.join(waiting)
      assert.strictEqual(status, 200)
      assert.include(text, `"status":"PENDING"`)
    })
  )
})

layer(served({ runner: echoRunner }), { excludeTestServices: true })("A reader that reads nothing", (it) => {
  it.effect("is dropped when the history has gone past it, and may come back", () =>
    Effect.gen(function* () {
      const socket = yield* open
      const begun = yield* Effect.callback<string>((resume) => {
        socket.once("data", (bytes: Buffer) => {
          socket.pause()
          resume(Effect.succeed(bytes.toString()))
        })
        socket.write("GET /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
      })
      // more than the history holds, and what is on its way
      const content = "x".repeat(800_000)
      for (let n = 0; n < 60; n++) yield* submit({ content })
      const last = yield* make("the last one")
      yield* (yield* openStream(path(last))).end
      const text = yield* Effect.callback<string>((resume) => {
        const chunks = [begun]
        socket.on("data", (bytes: Buffer) => {
          chunks.push(bytes.toString("latin1"))
          // the end of the answer, not of the connection
          if (chunks.slice(-2).join("").endsWith("\r\n0\r\n\r\n")) resume(Effect.succeed(chunks.join("")))
        })
        socket.resume()
      })
      assert.notInclude(text, "the last one")
      const known =
        text
          .match(/^id: \d+$/gm)
          ?.at(-1)
          ?.slice("id: ".length) ?? ""
      const back = yield* openStream("/api/v1/events", { "last-event-id": known })
      assert.strictEqual(eventsOf(yield* back.until((text) => text.includes("event: "))).at(0)?.event, "reset")
    })
  )
})
