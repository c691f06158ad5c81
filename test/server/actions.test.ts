import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Latch, Layer, Schema } from "effect"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { VenomTask } from "../../src/domain/Task.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { after } from "../support/tasks.ts"
import { type Answer, ask, get, json, problemOf, served, submit, submitted, tasks, running } from "./support.ts"

const task = ({ text }: Answer) => Schema.decodeUnknownEffect(Schema.fromJsonString(VenomTask))(text)
const path = "/api/v1/tasks"
const unknown = "0198c0de-0000-7000-8000-00000000ffff"
const bodyType = { "content-type": "application/json" }

const act = (id: string, action: string) => ask({ method: "POST", path: `${path}/${id}/${action}` })
const remove = (id: string) => ask({ method: "DELETE", path: `${path}/${id}` })
const all = (action: string, body: unknown) =>
  ask({ method: "POST", path: `${path}/actions/${action}`, headers: bodyType, body: JSON.stringify(body) })

const made = (request: Readonly<Record<string, unknown>>) =>
  Effect.map(
    Effect.flatMap(submit(request), ({ text }) => submitted(text)),
    ({ task_id }) => task_id
  )
const later = { content: "a", run_at: "2999-01-01T00:00:00.000Z" }

/** Whatever is asked of a task by its id, as problem documents. */
const refusals: ReadonlyArray<readonly [string, (id: string) => ReturnType<typeof ask>]> = [
  ["cancel", (id) => act(id, "cancel")],
  ["retry", (id) => act(id, "retry")],
  ["delete", remove]
]

const forbids = (answer: Answer, id: string, status: string) =>
  Effect.gen(function* () {
    assert.strictEqual(answer.status, 409)
    const problem = yield* problemOf(answer)
    assert.strictEqual(problem.type, "urn:venom:problem:illegal-transition")
    assert.deepStrictEqual([problem.task_id, problem.task_status], [id, status])
    assert.match(problem.detail, new RegExp(`^A task that is ${status} cannot be`))
  })

layer(served(), { excludeTestServices: true })("One task", (it) => {
  it.effect("is cancelled once, retried once, and deleted once it has finished", () =>
    Effect.gen(function* () {
      const id = yield* made(later)
      yield* forbids(yield* act(id, "retry"), id, "PENDING")
      yield* forbids(yield* remove(id), id, "PENDING")

      const cancelled = yield* act(id, "cancel")
      assert.strictEqual(cancelled.status, 200)
      assert.strictEqual(cancelled.headers["etag"], `W/"2"`)
      assert.isUndefined(cancelled.headers["retry-after"])
      const { failure, status } = yield* task(cancelled)
      assert.deepStrictEqual([status, failure?.reason], ["FAILED", "cancelled"])
      assert.strictEqual((yield* get(`${path}/${id}`)).text, cancelled.text)
      yield* forbids(yield* act(id, "cancel"), id, "FAILED")

      const retried = yield* act(id.toUpperCase(), "retry")
      assert.strictEqual(retried.status, 200)
      assert.strictEqual(retried.headers["retry-after"], "1")
      assert.deepStrictEqual([(yield* task(retried)).status, (yield* task(retried)).failure], ["PENDING", null])

      yield* act(id, "cancel")
      const deleted = yield* remove(id)
      assert.deepStrictEqual([deleted.status, deleted.text], [204, ""])
      assert.strictEqual(deleted.headers["cache-control"], "no-store")
      assert.isUndefined(deleted.headers["content-type"])
      assert.strictEqual((yield* get(`${path}/${id}`)).status, 404)
      assert.strictEqual((yield* remove(id)).status, 404)
    })
  )

  it.effect("that runs is interrupted, and may not be deleted before", () =>
    Effect.gen(function* () {
      const id = yield* made({ content: "a" })
      yield* running(id)
      yield* forbids(yield* remove(id), id, "PROCESSING")
      const { attempts } = yield* task(yield* act(id, "cancel"))
      assert.strictEqual(attempts[0]?.outcome, "cancelled")
    })
  )

  for (const [name, asked] of refusals) {
    it.effect(`that is not there is told so: ${name}`, () =>
      Effect.gen(function* () {
        const missing = yield* asked(unknown)
        assert.strictEqual(missing.status, 404)
        assert.strictEqual((yield* problemOf(missing)).task_id, unknown)
        const bad = yield* asked("17")
        assert.strictEqual(bad.status, 400)
        assert.deepStrictEqual(
          (yield* problemOf(bad)).errors?.map(({ path }) => path),
          ["id"]
        )
      })
    )
  }

  it.effect("needs no body; an empty object is one, and nothing else is", () =>
    Effect.gen(function* () {
      const asking = (body: string, headers: Readonly<Record<string, string>> = bodyType) =>
        Effect.flatMap(made(later), (id) =>
          ask({
            method: "POST",
            path: `${path}/${id}/cancel`,
            headers: { "content-length": `${body.length}`, ...headers },
            body
          })
        )
      for (const body of ["", "{}", " {} "]) assert.strictEqual((yield* asking(body)).status, 200, body)
      for (const body of ["[]", "1", "null", `"a"`, `{"force":true}`, "{"]) {
        const answer = yield* asking(body)
        assert.strictEqual(answer.status, 400, body)
        yield* problemOf(answer)
      }
      assert.strictEqual((yield* asking("{}", {})).status, 415)
      const id = yield* made(later)
      const answer = yield* ask({ method: "POST", path: `${path}/${id}/cancel?force=1` })
      assert.deepStrictEqual(
        (yield* problemOf(answer)).errors?.map(({ path }) => path),
        ["force"]
      )
    })
  )

  it.effect("is not changed by a page of another origin", () =>
    Effect.gen(function* () {
      const id = yield* made(later)
      for (const [method, place] of [
        ["POST", `${id}/cancel`],
        ["DELETE", id],
        ["POST", "actions/cancel"]
      ] as const) {
        const answer = yield* ask({ method, path: `${path}/${place}`, headers: { origin: "http://evil.example" } })
        assert.strictEqual(answer.status, 403)
      }
      assert.strictEqual((yield* task(yield* get(`${path}/${id}`))).status, "PENDING")
    })
  )

  it.effect("has no other actions", () =>
    Effect.gen(function* () {
      const id = yield* made(later)
      assert.strictEqual((yield* act(id, "pause")).status, 404)
      const read = yield* get(`${path}/${id}/cancel`)
      assert.deepStrictEqual([read.status, read.headers["allow"]], [405, "POST"])
    })
  )
})

/** Of each type: 3 PENDING, 2 FAILED, 1 COMPLETED. */
const held = tasks(12, (index) => ({ content: `task ${index}`, type: index < 6 ? "a" : "b", tags: [`${index}`] })).map(
  (task, index) => {
    const now = Date.now()
    const waits = { ...task, runAt: now + 1e9 }
    if (index % 6 < 3) return waits
    const claimed = Lifecycle.claim(now)
    return after(waits, claimed, index % 6 < 5 ? Lifecycle.fail("error", "", now) : Lifecycle.complete("", now))
  }
)
const fresh = () => served({ memory: { tasks: held } })

describe("All tasks that match", () => {
  const rows: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>, readonly [number, number]]> = [
    ["cancel", { type: "a" }, [6, 3]],
    ["cancel", { status: "PENDING" }, [6, 6]],
    ["cancel", { q: "task 1" }, [3, 1]],
    ["cancel", { type: "a", tag: "1", expected: 1 }, [1, 1]],
    ["cancel", { expected: 12 }, [12, 6]],
    ["cancel", { expected: 10, tolerance: 2 }, [12, 6]],
    ["cancel", { type: "c", expected: 0 }, [0, 0]],
    ["retry", { status: "FAILED", type: "b" }, [2, 2]],
    ["delete", { status: "COMPLETED" }, [2, 2]],
    ["delete", { type: "b" }, [6, 3]]
  ]
  for (const [action, body, [matched, changed]] of rows) {
    it.live(`${action} ${JSON.stringify(body)}`, () =>
      Effect.gen(function* () {
        const answer = yield* all(action, body)
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual(yield* json(answer), { matched, changed, skipped: matched - changed })
      }).pipe(Effect.provide(fresh()))
    )
  }

  it.live("are left alone when they are more or fewer than expected", () =>
    Effect.gen(function* () {
      const before = (yield* get(path)).text
      for (const action of ["cancel", "retry", "delete"]) {
        for (const body of [{ expected: 11 }, { expected: 13 }, { type: "a", expected: 3, tolerance: 2 }]) {
          const answer = yield* all(action, body)
          assert.strictEqual(answer.status, 409)
          const problem = yield* problemOf(answer)
          assert.strictEqual(problem.type, "urn:venom:problem:unexpected-count")
          assert.strictEqual(problem.matched, "type" in body ? 6 : 12)
        }
      }
      assert.strictEqual((yield* get(path)).text, before)
    }).pipe(Effect.provide(fresh()))
  )

  it.live("are not meant by a request that says nothing, or something wrong", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [unknown, ReadonlyArray<string>]> = [
        [{}, ["expected"]],
        [{ tolerance: 3 }, ["expected"]],
        [{ type: "a", tolerance: 3 }, ["expected"]],
        [{ expected: -1 }, ["expected"]],
        [{ expected: 1.5 }, ["expected"]],
        [{ expected: 12, tolerance: -1 }, ["tolerance"]],
        [{ status: "DONE", colour: "red" }, ["status", "colour"]],
        [{ type: 1, tag: 2, q: 3 }, ["type", "tag", "q"]],
        [{ status: "PENDING", limit: 5 }, ["limit"]],
        [[], [""]],
        [null, [""]]
      ]
      for (const [body, paths] of wrong) {
        const answer = yield* all("delete", body)
        assert.strictEqual(answer.status, 400, JSON.stringify(body))
        assert.sameMembers(
          ((yield* problemOf(answer)).errors ?? []).map(({ path }) => path),
          [...paths]
        )
      }
      assert.strictEqual((yield* ask({ method: "POST", path: `${path}/actions/delete` })).status, 415)
      const unknown = yield* all("pause", { expected: 12 })
      assert.strictEqual(unknown.status, 404)
      yield* problemOf(unknown)
      assert.strictEqual((yield* get(`${path}/actions/delete`)).status, 405)
      const query = yield* ask({ method: "POST", path: `${path}/actions/delete?type=a`, headers: bodyType, body: "{}" })
      assert.strictEqual(query.status, 400)
      assert.strictEqual((yield* get(path)).text.match(/"id":/g)?.length, 12)
    }).pipe(Effect.provide(fresh()))
  )

  it.live("have ended when the answer comes, where they were running", () => {
    let running = 0
    const allRun = Latch.makeUnsafe()
    const runner = Layer.succeed(TaskRunner, {
      run: () =>
        Effect.acquireUseRelease(
          Effect.suspend(() => (++running === 3 ? allRun.open : Effect.void)),
          () => Effect.never,
          () =>
            Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => running--)
            )
        )
    })
    return Effect.gen(function* () {
      for (const content of ["1", "2", "3"]) yield* submit({ content, type: "slow" })
      yield* allRun.await
      assert.deepStrictEqual(yield* json(yield* all("cancel", { type: "slow" })), {
        matched: 3,
        changed: 3,
        skipped: 0
      })
      assert.strictEqual(running, 0)
    }).pipe(Effect.provide(served({ runner })))
  })

  it.live("stay as they are by then when storage refuses", () => {
    const out = Effect.fail(new StorageError({ reason: "out" }))
    const repository = Layer.effect(
      StateRepository,
      Effect.map(StateRepository, (memory) => ({ ...memory, update: () => out, reopen: () => out, remove: () => out }))
    ).pipe(Layer.provide(MemoryStateRepository.layer({ tasks: held })))
    return Effect.gen(function* () {
      const id = held[0]?.id ?? ""
      for (const answer of [
        yield* all("cancel", { type: "a" }),
        yield* all("retry", { type: "a" }),
        yield* all("delete", { type: "a" }),
        yield* act(id, "cancel"),
        yield* act(id, "retry"),
        yield* remove(id)
      ]) {
        assert.strictEqual(answer.status, 503)
        assert.strictEqual(answer.headers["retry-after"], "1")
        assert.notInclude((yield* problemOf(answer)).detail, "out")
      }
    }).pipe(Effect.provide(served({ repository })))
  })
})

describe("A retry while the queue is full", () => {
  const failed = tasks(4, () => ({ content: "" })).map((task) => after(task, Lifecycle.cancel(Date.now())))
  const id = failed[0]?.id ?? ""
  const full = () => served({ memory: { tasks: failed, maxPending: 2 } })

  it.live("is answered as a submit is, and the task stays FAILED", () =>
    Effect.gen(function* () {
      for (const content of ["1", "2"]) yield* submit({ content })
      const refused = yield* act(id, "retry")
      assert.strictEqual(refused.status, 503)
      assert.strictEqual(refused.headers["retry-after"], "1")
      assert.include((yield* problemOf(refused)).detail, "as many unfinished tasks as it may")
      assert.strictEqual((yield* task(yield* get(`${path}/${id}`))).status, "FAILED")
    }).pipe(Effect.provide(full()))
  )

  it.live("of all that match ends where the room does, and says how far it came", () =>
    Effect.gen(function* () {
      yield* submit({ content: "1" })
      assert.deepStrictEqual(yield* json(yield* all("retry", { status: "FAILED" })), {
        matched: 4,
        changed: 1,
        skipped: 3,
        full: true
      })
      assert.strictEqual((yield* submit({ content: "2" })).status, 503)
    }).pipe(Effect.provide(full()))
  )
})

describe("A cancel and a result that come together", () => {
  it.live("have one winner, and the answer says which", () =>
    Effect.gen(function* () {
      const go = yield* Latch.make()
      const runner = Layer.succeed(TaskRunner, { run: ({ content }) => Effect.as(go.await, content) })
      yield* Effect.gen(function* () {
        const ids = yield* Effect.forEach(Array.from({ length: 50 }), () => made({ content: "done" }))
        const answers = yield* Effect.all(
          ids.map((id, index) => Effect.andThen(index === 25 ? go.open : Effect.void, act(id, "cancel"))),
          { concurrency: "unbounded" }
        )
        for (const [index, id] of ids.entries()) {
          const answer = answers[index]
          const { failure, result, status } = yield* task(yield* get(`${path}/${id}`))
          if (answer?.status === 200) assert.deepStrictEqual([status, failure?.reason], ["FAILED", "cancelled"])
          else if (answer !== undefined) {
            assert.deepStrictEqual([status, result], ["COMPLETED", "done"])
            yield* forbids(answer, id, "COMPLETED")
          }
        }
      }).pipe(Effect.provide(served({ runner })))
    })
  )
})
