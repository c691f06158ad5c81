import { readdirSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Latch, Result } from "effect"
import * as ModuleTaskRunner from "../../../src/adapters/runners/ModuleTaskRunner.ts"
import { attempt, built, claimed, listen } from "./attempts.ts"
import { file } from "./modules.ts"

const handlers = (text: string, options: Partial<ModuleTaskRunner.ModuleOptions> = {}, name = "handlers.mjs") =>
  Effect.map(file(name, text), (module) => ModuleTaskRunner.layer({ module, workers: 1, ...options }))

/** One handler for every type. */
const handler = (body: string, options: Partial<ModuleTaskRunner.ModuleOptions> = {}) =>
  handlers(`export default async (task, { log, progress, signal }) => { ${body} }`, options)

const outcome = (body: string, content = "") =>
  Effect.scoped(Effect.flatMap(handler(body), (layer) => attempt(layer, content)))

const failureOf = (body: string) =>
  Effect.map(outcome(body), ({ result }) =>
    Result.match(result, {
      onSuccess: (value) => assert.fail(`succeeded with ${value}`),
      onFailure: (failure) => failure
    })
  )

/** Threads of this process; a runner that has ended has left none. */
const threads = () => readdirSync("/proc/self/task").length

const turnOfTheLoop = Effect.promise(() => new Promise((resolve) => setTimeout(resolve)))

/** Only there threads can be counted. */
const isLinux = process.platform === "linux"

describe("ModuleTaskRunner: handlers", { timeout: 60_000 }, () => {
  it.live("get the task, and what they return is the result", () =>
    Effect.gen(function* () {
      const content = "häuser 😀\0"
      const { result } = yield* outcome("return task.content", content)
      assert.deepStrictEqual(result, Result.succeed(content))
      const { result: task } = yield* outcome("return task")
      assert.deepInclude(JSON.parse(Result.getOrThrow(task)), {
        id: "0190163d-8694-739b-aea5-966c26f8ad91",
        type: "test",
        content: "",
        attempt: 1,
        maxAttempts: 3,
        tags: [],
        createdAt: "1970-01-01T00:00:00.000Z"
      })
    })
  )

  it.live("may return nothing, or what JSON can say", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* outcome("")).result, Result.succeed(""))
      assert.deepStrictEqual((yield* outcome("return { done: [1, null] }")).result, Result.succeed('{"done":[1,null]}'))
      assert.deepStrictEqual((yield* outcome("return Promise.resolve(7)")).result, Result.succeed("7"))
      const { result } = yield* outcome("return 1n")
      assert.isTrue(Result.isFailure(result))
    })
  )

  it.live("are found by type, also in TypeScript", () =>
    Effect.gen(function* () {
      const layer = yield* handlers(
        `type Task = { content: string }
         const test = (task: Task): string => task.content.toUpperCase()
         export default { test, other: () => "other" }`,
        { types: ["test", "other"] },
        "handlers.ts"
      )
      assert.deepStrictEqual((yield* attempt(layer, "a")).result, Result.succeed("A"))
    })
  )

  it.live("log and tell how far they are, in order, and so does their console", () =>
    Effect.gen(function* () {
      const { lines, progress } = yield* outcome(`
        log("one"); console.log("two\\nthree"); console.error("four", { five: 5 })
        progress(50, "half"); progress(null); process.stdout.write("no end"); return ""`)
      assert.deepStrictEqual(lines, ["one", "two", "three", "four { five: 5 }", "no end"])
      assert.deepStrictEqual(progress, [
        [50, "half"],
        [null, null]
      ])
    })
  )

  it.live("that log without end fill no memory: what comes too fast is dropped and counted", () =>
    Effect.gen(function* () {
      const { lines } = yield* outcome("for (let i = 0; i < 1e6; i++) log(`line ${i}`)")
      assert.isBelow(lines.length, 500_000)
      assert.match(lines.at(-1) ?? "", /^\d+ lines were dropped/)
    })
  )

  it.live("find the environment they are given", () =>
    Effect.gen(function* () {
      const layer = yield* handler("return Object.entries(process.env)", { environment: { A: "1" } })
      assert.deepStrictEqual((yield* attempt(layer, "")).result, Result.succeed('[["A","1"]]'))
    })
  )
})

describe("ModuleTaskRunner: failures", { timeout: 60_000 }, () => {
  it.live("what is thrown is worth another attempt, and its stack is logged", () =>
    Effect.gen(function* () {
      const { lines, result } = yield* outcome("throw new Error('it went wrong')")
      assert.deepInclude(Result.getOrThrow(Result.flip(result)), { message: "it went wrong", retryable: true })
      assert.match(lines.join("\n"), /^Error: it went wrong\n *at /)
      assert.deepInclude(yield* failureOf("throw 'text'"), { message: "text", retryable: true })
      assert.deepInclude(yield* failureOf("throw null"), { message: "null", retryable: true })
      assert.deepInclude(yield* failureOf("await undefinedFunction()"), {
        message: "undefinedFunction is not defined",
        retryable: true
      })
    })
  )

  it.live("unless it says otherwise, or not before when", () =>
    Effect.gen(function* () {
      const final = yield* failureOf("throw Object.assign(new Error('never'), { retryable: false })")
      assert.deepStrictEqual([final.message, final.retryable], ["never", false])
      const later = yield* failureOf("throw Object.assign(new Error('later'), { retryAfter: 5000 })")
      assert.deepStrictEqual([later.retryable, later.retryAfter], [true, Duration.seconds(5)])
    })
  )

  it.live("a thread that dies fails its attempt and is replaced", () =>
    Effect.gen(function* () {
      const layer = yield* handler(`
        if (task.content === "exit") process.exit(3)
        if (task.content === "uncaught") { setImmediate(() => { throw new Error("nobody catches") }); await new Promise(() => {}) }
        if (task.content === "rejected") { Promise.reject(new Error("nobody awaits")); await new Promise(() => {}) }
        return task.content`)
      const runner = yield* built(layer)
      const said = yield* listen
      const run = (content: string) => Effect.result(runner.run(claimed(content), said.handle))
      for (const [content, why] of [
        ["exit", /died: it exited with code 3/],
        ["uncaught", /died: nobody catches/],
        ["rejected", /died: nobody awaits/]
      ] as const) {
        const failure = Result.getOrThrow(Result.flip(yield* run(content)))
        assert.isTrue(failure.retryable)
        assert.match(failure.message, why)
        assert.deepStrictEqual(yield* run("works"), Result.succeed("works"))
      }
    })
  )

  it.live.skipIf(!isLinux)("one that dies between two attempts is replaced for the next", () =>
    Effect.gen(function* () {
      const layer = yield* handler("setTimeout(() => process.exit(1)); return task.content")
      const runner = yield* built(layer)
      const said = yield* listen
      const before = threads()
      assert.strictEqual(yield* runner.run(claimed("first"), said.handle), "first")
      while (threads() === before) yield* turnOfTheLoop
      // that it is gone is told a moment later
      yield* Effect.repeat(turnOfTheLoop, { times: 100 })
      assert.strictEqual(yield* runner.run(claimed("second"), said.handle), "second")
    })
  )

  it.live("so does one whose memory is full", () =>
    Effect.gen(function* () {
      const layer = yield* handler("const all = []; for (;;) all.push(Array(1000).fill(Math.random()))", {
        memory: 32 * 2 ** 20
      })
      const { result } = yield* attempt(layer, "")
      const { message, retryable } = Result.getOrThrow(Result.flip(result))
      assert.deepStrictEqual([message, retryable], ["the worker thread of this attempt died: its memory is full", true])
    })
  )

  it.live("a result is not longer than a result may be", () =>
    Effect.gen(function* () {
      const { message, retryable } = yield* failureOf("return 'x'.repeat(1048577)")
      assert.deepStrictEqual([retryable, /more than 1048576 bytes/.test(message)], [false, true])
    })
  )

  it.live("a module that cannot be run is not built", () =>
    Effect.gen(function* () {
      const refused = (text: string, options: Partial<ModuleTaskRunner.ModuleOptions> = {}) =>
        Effect.flatMap(handlers(text, options), (layer) => Effect.flip(built(layer)))
      assert.match((yield* refused("syntax error")).message, /handlers\.mjs: Unexpected identifier/)
      assert.match((yield* refused("throw new Error('no')")).message, /: no$/)
      assert.match((yield* refused("export const f = 1")).message, /default export is neither/)
      assert.match((yield* refused("export default { a: 1 }")).message, /handler a is no function/)
      assert.match((yield* refused("export default { a() {} }", { types: ["a", "b"] })).message, /no handler for b/)
      assert.match((yield* refused("process.exit(1)")).message, /exited with code 1/)
      const missing = yield* Effect.flip(built(ModuleTaskRunner.layer({ module: "/no/such/module.mjs" })))
      assert.match(missing.message, /Cannot find module/)
    })
  )
})

describe("ModuleTaskRunner: the end of an attempt", { timeout: 120_000 }, () => {
  it.live("an interrupt aborts the signal; who returns keeps the thread", () =>
    Effect.gen(function* () {
      const layer = yield* handlers(`
        let runs = 0
        export default async (task, { log, signal }) => {
          runs++
          if (task.content === "next") return String(runs)
          log("begun")
          await new Promise((resolve) => signal.addEventListener("abort", resolve))
        }`)
      const runner = yield* built(layer)
      const said = yield* listen
      const running = yield* Effect.forkChild(runner.run(claimed("x"), said.handle))
      yield* said.next
      yield* Fiber.interrupt(running)
      assert.strictEqual(yield* runner.run(claimed("next"), said.handle), "2")
    })
  )

  it.live.skipIf(!isLinux)("who does not return is ended with the thread", () =>
    Effect.gen(function* () {
      const layer = yield* handlers(
        `let runs = 0
         export default (task, { log }) => {
           runs++
           if (task.content === "next") return String(runs)
           log("spinning")
           for (;;);
         }`,
        { grace: "50 millis" }
      )
      const runner = yield* built(layer)
      const said = yield* listen
      const before = threads()
      const running = yield* Effect.forkChild(runner.run(claimed("x"), said.handle))
      assert.strictEqual(yield* said.next, "spinning")
      yield* Fiber.interrupt(running)
      assert.isBelow(threads(), before)
      assert.strictEqual(yield* runner.run(claimed("next"), said.handle), "1")
    })
  )

  it.live.skipIf(!isLinux)("nothing is left after 1,000 interrupts", () =>
    Effect.gen(function* () {
      // the system's own threads are there after the first use
      yield* outcome("return ''")
      const before = threads()
      yield* Effect.gen(function* () {
        const layer = yield* handler(
          `log("begun")
           if (task.content.endsWith("7")) for (;;);
           await new Promise((resolve) => signal.addEventListener("abort", resolve))`,
          { workers: 4, grace: "10 millis" }
        )
        const runner = yield* built(layer)
        const interruptOne = Effect.fnUntraced(function* (n: number) {
          const said = yield* listen
          const running = yield* Effect.forkChild(runner.run(claimed(`${n}`), said.handle))
          // some before they begin, others in the middle
          if (n % 3 > 0) yield* said.next
          yield* Fiber.interrupt(running)
        })
        yield* Effect.forEach(
          Array.from({ length: 1000 }, (_, n) => n),
          interruptOne,
          { concurrency: 8, discard: true }
        )
        assert.isAtMost(threads(), before + 4)
      }).pipe(Effect.scoped)
      assert.isAtMost(threads(), before)
    })
  )

  it.live("as many run at once as there are threads", () =>
    Effect.gen(function* () {
      const untilAborted = "log('begun'); await new Promise((resolve) => signal.addEventListener('abort', resolve))"
      const runner = yield* built(yield* handler(untilAborted, { workers: 2 }))
      const bothBusy = yield* Latch.make(false)
      let begun = 0
      const log = () => Effect.suspend(() => (++begun === 2 ? Effect.asVoid(bothBusy.open) : Effect.void))
      const run = Effect.forkChild(runner.run(claimed(""), { log, progress: () => Effect.void }))
      const runs = yield* Effect.all(Array.from({ length: 6 }, () => run))
      yield* bothBusy.await
      yield* Fiber.interruptAll(runs)
      assert.strictEqual(begun, 2)
    })
  )
})
