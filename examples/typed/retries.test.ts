import { assert, it } from "@effect/vitest"
import { Effect, Layer, Ref } from "effect"
import { TaskHandlers } from "venom"
import { layerTest, TestQueue } from "venom/testing"
import { MailServer, SendEmailHandler } from "./handlers.ts"
import { Refused, SendEmail } from "./tasks.ts"

/** Gives each mail the next of these codes; 250 takes it. */
const queueWith = (codes: ReadonlyArray<number>) =>
  Layer.unwrap(
    Effect.map(Ref.make(0), (mails) => {
      const next = Effect.map(
        Ref.getAndUpdate(mails, (n) => n + 1),
        (n) => codes[n] ?? 250
      )
      const Mail = Layer.succeed(MailServer, {
        send: () =>
          Effect.flatMap(next, (code) =>
            code === 250 ? Effect.succeed("mail-1") : Effect.fail(new Refused({ code, reason: "sorry" }))
          )
      })
      const Handlers = SendEmailHandler.pipe(Layer.provide(Mail))
      return layerTest({ runner: TaskHandlers.layer(SendEmail).pipe(Layer.provide(Handlers)) })
    })
  )

const mail = { to: { address: "you@example.org" }, subject: "hello" }

it.effect("a busy server is asked again by the backoff, one that names a time then", () =>
  Effect.gen(function* () {
    const { await: result } = yield* SendEmail.submit(mail)
    const [task] = yield* (yield* TestQueue).drain
    const starts = task?.attempts.map(({ startedAt }) => startedAt) ?? []
    assert.lengthOf(starts, 3)
    assert.isBelow(starts[1] ?? 0, 200)
    assert.strictEqual((starts[2] ?? 0) - (starts[1] ?? 0), 1000)
    assert.strictEqual((yield* result).messageId, "mail-1")
  }).pipe(Effect.provide(queueWith([421, 450])))
)

it.effect("a refusal for good is not tried again, and is the failure that the type says", () =>
  Effect.gen(function* () {
    const { await: result } = yield* SendEmail.submit(mail)
    yield* (yield* TestQueue).drain
    assert.deepStrictEqual(yield* Effect.flip(result), new Refused({ code: 550, reason: "sorry" }))
  }).pipe(Effect.provide(queueWith([550])))
)
