import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { isRunning, write, untilThere } from "./support/Files.ts"
import { ask, open } from "./support/Http.ts"
import { leftIn } from "./support/Left.ts"
import { directory, launch, serve, until } from "./support/Service.ts"
import { problemIn } from "./support/Wire.ts"

const forever = { VENOM_SIMULATED_DURATION: "1 hour" }
const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }

/** A program that ends when the test says so. */
const gate = (path: string) => ({
  VENOM_RUNNER: "command",
  VENOM_COMMAND: `sh -c '${untilThere(path)}; cat'`
})

describe("after SIGTERM", { concurrent: true }, () => {
  it.live("tasks under way may finish; meanwhile it can be read, takes nothing in, and says that it drains", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const file = join(yield* directory, "open")
      const venom = yield* serve(data, { ...gate(file), VENOM_CONCURRENCY: "1", VENOM_SHUTDOWN_GRACE: "1 hour" })
      const running = yield* venom.submit("running")
      const waiting = yield* venom.submit("waiting")
      yield* venom.reaches(running, "PROCESSING")
      yield* venom.signal("SIGTERM")
      const unready = yield* until("the drain", venom.ready, ({ status }) => status === 503)
      assert.match((yield* problemIn(unready, 503)).detail, /drain|shutting down/)

      // on connections that were open, and on new ones
      for (const asks of [venom.ask, ask(venom.url)]) {
        const refused = yield* asks({
          method: "POST",
          path: "/api/v1/tasks",
          headers: { "content-type": "application/json" },
          body: `{"content":"too late"}`
        })
        yield* problemIn(refused, 503)
        assert.match(`${refused.headers["retry-after"]}`, /^\d+$/)
        assert.strictEqual((yield* asks({ path: "/health/live" })).status, 200)
        assert.strictEqual((yield* asks({ path: `/api/v1/tasks/${running}` })).status, 200)
        assert.strictEqual((yield* asks({ path: "/api/v1/tasks" })).status, 200)
      }
      assert.strictEqual((yield* venom.get(running)).status, "PROCESSING")

      yield* write(file, "")
      const { code, stdout } = yield* venom.ended
      assert.deepStrictEqual({ code, stdout }, { code: 0, stdout: "" })
      const states = new Map((yield* leftIn(data)).map((task) => [task.id, task]))
      assert.include(states.get(running), { status: "COMPLETED", result: "running", attempt: 1 })
      assert.include(states.get(waiting), { status: "PENDING", attempt: 0 })
      assert.strictEqual(states.size, 2)

      const next = yield* serve(data, gate(file))
      assert.include(yield* next.reaches(waiting, "COMPLETED"), { result: "waiting", attempt: 1 })
      assert.deepStrictEqual(yield* next.get(running), states.get(running))
    })
  )

  it.live("tasks beyond the grace time are given back, the attempt not counted, and run after the next start", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const settings = {
        ...forever,
        VENOM_SHUTDOWN_GRACE: "200 millis",
        VENOM_CONCURRENCY: "10",
        VENOM_ON_RESTART: "fail"
      }
      const venom = yield* serve(data, settings)
      const ids = yield* Effect.forEach(Array.from({ length: 20 }), (_, n) => venom.submit(`task ${n}`))
      yield* Effect.forEach(ids.slice(0, 10), (id) => venom.reaches(id, "PROCESSING"))
      const begun = performance.now()
      assert.strictEqual((yield* venom.stop).code, 0)
      assert.isAtLeast(performance.now() - begun, 200)
      const left = yield* leftIn(data)
      assert.lengthOf(left, 20)
      for (const task of left) assert.deepInclude(task, { status: "PENDING", attempt: 0, attempts: [], failure: null })

      const next = yield* serve(data, { ...settings, ...instantly })
      const done = yield* next.settled
      assert.lengthOf(done, 20)
      for (const task of done) assert.include(task, { status: "COMPLETED", attempt: 1 })
      assert.deepStrictEqual(
        next.log().filter(({ level }) => level !== "info"),
        []
      )
    })
  )

  it.live("a program beyond the grace time is ended with all that it has started", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, {
        VENOM_RUNNER: "command",
        VENOM_COMMAND: `sh -c 'sleep 1000 & echo child $! >&2; echo parent $$ >&2; wait'`,
        VENOM_SHUTDOWN_GRACE: "0 seconds"
      })
      const id = yield* venom.submit("x")
      const { logs } = yield* until("its two lines", venom.get(id), ({ logs }) => / parent \d+/.test(logs.join("\n")))
      const pids = logs.flatMap((line) => / (?:child|parent) (\d+)$/.exec(line)?.[1] ?? []).map(Number)
      assert.lengthOf(pids, 2)
      assert.strictEqual((yield* venom.stop).code, 0)
      for (const pid of pids) assert.isFalse(yield* isRunning(pid))
    })
  )

  it.live("neither idle connections, nor half a request, nor a list that nobody reads hold it up", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, { ...forever, VENOM_SHUTDOWN_GRACE: "0 seconds" })
      yield* Effect.forEach(Array.from({ length: 30 }), () => venom.submit("x".repeat(1_000_000)), { concurrency: 4 })
      const idle = yield* open(venom.url)
      idle.socket.write("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
      const half = yield* open(venom.url)
      half.socket.write(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
      )
      const unread = yield* open(venom.url)
      unread.socket.write("GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n")
      yield* until("the list to begin", Effect.sync(unread.received), (text) => text.length > 0)
      unread.socket.pause()
      const begun = performance.now()
      assert.strictEqual((yield* venom.stop).code, 0)
      assert.isBelow(performance.now() - begun, 15_000)
    })
  )

  it.live("while the program is still loading it ends with 0 too", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const preload = join(place, "preload.mjs")
      yield* write(
        preload,
        `import { registerHooks } from "node:module"
         registerHooks({
           load: (url, context, next) => {
             if (url.endsWith("/program.ts")) process.kill(process.pid, "SIGTERM")
             return next(url, context)
           }
         })`
      )
      const venom = yield* launch(join(place, "data"), { NODE_OPTIONS: `--import=${preload}` })
      assert.deepInclude(yield* venom.ended, { code: 0, signal: null, stdout: "" })
    })
  )

  it.live("a second signal ends it at once, and nothing is lost", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, { ...forever, VENOM_SHUTDOWN_GRACE: "1 hour" })
      const id = yield* venom.submit("x")
      yield* venom.reaches(id, "PROCESSING")
      yield* venom.signal("SIGTERM")
      yield* venom.heard(/[Dd]rain/)
      const begun = performance.now()
      yield* venom.signal("SIGINT")
      assert.notStrictEqual((yield* venom.ended).code, 0)
      assert.isBelow(performance.now() - begun, 5000)
      const next = yield* serve(data, instantly)
      assert.include(yield* next.reaches(id, "COMPLETED"), { attempt: 2, content: "x" })
    })
  )

  it.live("while tasks keep coming, all that was answered with 201 is there after the next start", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, { VENOM_SIMULATED_DURATION: "30 millis", VENOM_SHUTDOWN_GRACE: "10 millis" })
      const taken: Array<string> = []
      const sendOn = Effect.gen(function* () {
        for (;;) {
          const answer = yield* venom.post({ content: "x" })
          if (answer.status === 503) return
          assert.strictEqual(answer.status, 201)
          taken.push(answer.headers["location"]?.slice("/api/v1/tasks/".length) ?? "")
          if (taken.length === 300) yield* venom.signal("SIGTERM")
        }
      })
      yield* Effect.all(
        Array.from({ length: 20 }, () => Effect.ignore(sendOn)),
        { concurrency: "unbounded", discard: true }
      )
      assert.strictEqual((yield* venom.ended).code, 0)
      const next = yield* serve(data, instantly)
      const all = yield* next.settled
      assert.sameMembers(
        all.map(({ id }) => id),
        taken
      )
      assert.isTrue(all.every(({ attempt, status }) => status === "COMPLETED" && attempt === 1))
    })
  )
})
