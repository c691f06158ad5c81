import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import * as Otlp from "../../../src/adapters/otlp/Otlp.ts"
import { TaskNotFound } from "../../../src/domain/TaskError.ts"
import * as Log from "../../../src/host/Log.ts"
import * as Threshold from "../../../src/host/Threshold.ts"
import { collector } from "../../otlp/Collector.ts"
import { attributesOf } from "../../otlp/Otlp.ts"
import { idOf } from "../../support/tasks.ts"

/** What comes of it at a collector, when all has been sent. */
const sent = Effect.fnUntraced(function* (work: Effect.Effect<void>) {
  // no span begins in 1970
  yield* TestClock.setTime(Date.parse("2026-01-31T09:30:00.000Z"))
  const receiver = yield* collector()
  const layer = Otlp.layer({
    endpoint: receiver.endpoint,
    protocol: "http/protobuf",
    headers: {},
    serviceName: "venom",
    version: "1",
    attributes: {},
    filter: (logger) => Log.guarded(Log.inWords(logger), Threshold.make("Info"))
  })
  yield* Effect.provide(work, Layer.provideMerge(layer, Logger.layer([])))
  assert.deepStrictEqual(receiver.wrong, [])
  return receiver
})

describe("what is sent by OTLP", () => {
  it.effect("of a failure is its kind and nothing that it says", () =>
    Effect.gen(function* () {
      const failing = [
        Effect.fail(new TaskNotFound({ taskId: idOf(42) })),
        Effect.fail({ message: "secret" }),
        Effect.die(new Error("secret")),
        Effect.die("secret")
      ]
      const { raw, spans } = yield* sent(
        Effect.forEach(failing, (one) => Effect.exit(Effect.withSpan(one, "one", { kind: "server" })), {
          discard: true
        })
      )
      assert.deepStrictEqual(
        spans.map(({ status }) => [status.code, status.message]),
        [
          ["STATUS_CODE_ERROR", "TaskNotFound"],
          ["STATUS_CODE_ERROR", "error"],
          ["STATUS_CODE_ERROR", "defect"],
          ["STATUS_CODE_ERROR", "defect"]
        ]
      )
      assert.notInclude(raw(), "secret")
      assert.notInclude(raw(), idOf(42))
    })
  )

  it.effect("begins with a request or an attempt: what the process does by itself is no trace", () =>
    Effect.gen(function* () {
      const inner = Effect.withSpan(Effect.void, "inner")
      const { spans } = yield* sent(
        Effect.andThen(
          Effect.withSpan(inner, "by itself"),
          Effect.withSpan(inner, "attempt", { kind: "consumer", root: true })
        )
      )
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["inner", "attempt"]
      )
    })
  )

  it.effect("is the log too: above its threshold, in one text, with its span, whatever is in an event", () =>
    Effect.gen(function* () {
      const hostile = new Proxy(new Error("x"), {
        get: () => {
          throw new Error("do not look")
        }
      })
      const { records, spans } = yield* sent(
        Effect.logWarning("It broke", new Error("why")).pipe(
          Effect.annotateLogs({ task_id: "t1" }),
          Effect.andThen(Effect.logDebug("not heard")),
          Effect.andThen(Effect.logError("And this", hostile)),
          Effect.withSpan("attempt", { kind: "consumer" }),
          Effect.exit,
          Effect.tap((exit) => Effect.sync(() => assert.isTrue(Exit.isSuccess(exit)))),
          Effect.asVoid
        )
      )
      assert.deepStrictEqual(
        records.map(({ body, severityText }) => [severityText, body.stringValue]),
        [
          ["Warn", "It broke: why"],
          ["Error", "And this: (it cannot be shown)"]
        ]
      )
      const [first] = records
      assert.strictEqual(attributesOf(first?.attributes)["task_id"], "t1")
      assert.deepStrictEqual([first?.traceId, first?.spanId], [spans[0]?.traceId, spans[0]?.spanId])
    })
  )
})
