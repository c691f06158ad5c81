import { Cause, Console, Effect, type LogLevel, Tracer } from "effect"
import { assert, describe, it } from "@effect/vitest"
import * as Log from "../../src/host/Log.ts"
import * as Threshold from "../../src/host/Threshold.ts"

/** What an effect writes to stderr; anything on stdout fails the test. */
const errors = (
  effect: Effect.Effect<void>,
  { level = "Info", ...options }: Partial<Log.LogOptions> & { readonly level?: LogLevel.LogLevel } = {}
) => {
  const lines: Array<string> = []
  const heard: Console.Console = Object.assign(Object.create(globalThis.console), {
    error: (...parts: ReadonlyArray<unknown>) => lines.push(parts.join(" ")),
    log: () => assert.fail("stdout is for what a command answers")
  })
  return effect.pipe(
    Effect.provide(Log.layer({ format: "json", threshold: Threshold.make(level), colors: false, ...options })),
    Effect.provideService(Console.Console, heard),
    Effect.as(lines)
  )
}

describe("the JSON log", () => {
  it.effect("is one object on one line, its annotations are fields", () =>
    Effect.gen(function* () {
      const lines = yield* errors(
        Effect.logWarning("first\nsecond", "more", new Error("why")).pipe(
          Effect.annotateLogs({ task_id: "t1", attempt: 2, size: 10n })
        )
      )
      assert.lengthOf(lines, 1)
      assert.notInclude(lines[0], "\n")
      assert.deepStrictEqual(JSON.parse(lines[0] ?? ""), {
        time: "1970-01-01T00:00:00.000Z",
        level: "warn",
        message: "first\nsecond: more: why",
        task_id: "t1",
        attempt: 2,
        size: "10n"
      })
    })
  )

  it.effect("keeps a cause", () =>
    Effect.gen(function* () {
      const [line = ""] = yield* errors(Effect.logError("It broke", Cause.die(new Error("boom"))))
      const { cause, message } = JSON.parse(line)
      assert.strictEqual(message, "It broke")
      assert.include(cause, "Error: boom")
    })
  )

  for (const format of ["json", "pretty"] as const) {
    it.effect(`in ${format} survives a defect that does not let itself be looked at`, () =>
      Effect.gen(function* () {
        const hostile = new Proxy(new Error("x"), {
          get: () => {
            throw new Error("do not look")
          }
        })
        const lines = yield* errors(
          Effect.andThen(
            Effect.annotateLogs(Effect.logError("It broke", Cause.die(hostile)), "task_id", "t1"),
            Effect.logError("And this", hostile)
          ),
          { format }
        )
        const text = lines.join("\n")
        assert.include(text, "It broke")
        assert.include(text, "t1")
        assert.include(text, "And this")
        assert.include(text, "cannot be shown")
      })
    )
  }

  it.effect("names the span that an event belongs to, if it goes anywhere", () =>
    Effect.gen(function* () {
      const outside = Tracer.externalSpan({ traceId: "a".repeat(32), spanId: "b".repeat(16) })
      const [line = ""] = yield* errors(Effect.withParentSpan(Effect.logInfo("x"), outside))
      assert.deepInclude(JSON.parse(line), { trace_id: "a".repeat(32), span_id: "b".repeat(16) })
      const [other = ""] = yield* errors(Effect.withSpan(Effect.logInfo("x"), "nowhere"))
      assert.notProperty(JSON.parse(other), "trace_id")
    })
  )

  it.effect("tells everything from debug on while somebody looks closer", () =>
    Effect.gen(function* () {
      const threshold = Threshold.make("Warn")
      const say = Effect.andThen(Effect.logTrace("trace"), Effect.logDebug("debug"))
      const look = Effect.sync(threshold.toggle)
      const both = say.pipe(Effect.andThen(look), Effect.andThen(say), Effect.andThen(look), Effect.andThen(say))
      const lines = yield* errors(both, { threshold })
      assert.deepStrictEqual(
        lines.map((line) => JSON.parse(line).message),
        ["debug"]
      )
    })
  )

  it.effect("leaves out what is below its level", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* errors(Effect.logDebug("x")), 0)
      assert.lengthOf(yield* errors(Effect.logDebug("x"), { level: "Debug" }), 1)
      assert.lengthOf(yield* errors(Effect.logFatal("x"), { level: "None" }), 0)
    })
  )
})

describe("the pretty log", () => {
  it.effect("goes to stderr too, and tells what is annotated", () =>
    Effect.gen(function* () {
      const lines = yield* errors(Effect.annotateLogs(Effect.logInfo("hello"), "task_id", "t1"), { format: "pretty" })
      assert.match(lines.join("\n"), /INFO .*hello\n.*task_id: t1/)
    })
  )
})

const hostile = `done\n{"level":"fatal","message":"forged"}\r\n[12:00:00.000] FATAL (#1): forged\u001b[2J\u001b]0;title\u0007\u009b31m\u2028\u202eflip`
const orders = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

describe("what a task has to say", () => {
  const events = Effect.logWarning("Attempt failed for good", hostile).pipe(
    Effect.andThen(Effect.logError(hostile, new Error(hostile), { hostile })),
    Effect.andThen(Effect.logError("It broke", Cause.die(new Error(hostile))))
  )

  it.effect("is one line of the JSON log for each event, and whole", () =>
    Effect.gen(function* () {
      const lines = yield* errors(events)
      assert.lengthOf(lines, 3)
      for (const line of lines) {
        assert.notMatch(line, orders)
        assert.notInclude(line, "\n")
      }
      assert.strictEqual(JSON.parse(lines[0] ?? "").message, `Attempt failed for good: ${hostile}`)
    })
  )

  it.effect("gives a terminal no orders, and looks like no event of its own", () =>
    Effect.gen(function* () {
      const text = (yield* errors(events, { format: "pretty" })).join("\n")
      assert.notMatch(text, orders)
      assert.lengthOf(text.match(/^\[.*\] /gm) ?? [], 3)
      assert.include(text, "forged\\u001b[2J")
      const [first = ""] = yield* errors(Effect.logInfo("fine"), { format: "pretty", colors: true })
      assert.include(first, "\u001b[32mINFO")
    })
  )
})
