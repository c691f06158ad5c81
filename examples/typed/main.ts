import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Ref, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { Engine, FileStateRepository, TaskHandlers } from "venom"
import { NodeServer } from "venom/http"
import { MailServer, SendEmailHandler } from "./handlers.ts"
import { Refused, SendEmail } from "./tasks.ts"

/** Busy at first, and with nobody at home. */
const Mail = Layer.effect(
  MailServer,
  Effect.map(Ref.make(0), (mails) => ({
    send: (address) =>
      Effect.gen(function* () {
        if (address.startsWith("nobody@")) return yield* new Refused({ code: 550, reason: "no such mailbox" })
        const n = yield* Ref.updateAndGet(mails, (n) => n + 1)
        return n > 2 ? `mail-${n}` : yield* new Refused({ code: 421, reason: "busy" })
      })
  }))
)

const Runner = TaskHandlers.layer(SendEmail).pipe(Layer.provide(SendEmailHandler), Layer.provide(Mail))

const Venom = NodeServer.layer({ port: 0 }).pipe(
  Layer.provideMerge(Engine.layer),
  Layer.provide([Runner, FileStateRepository.layer({ directory: "data/typed" })]),
  Layer.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])
)

const program = Effect.gen(function* () {
  const mail = yield* SendEmail.submit({ to: { address: "you@example.org" }, subject: "hello" })
  yield* Stream.runForEach(mail.events, (event) =>
    event._tag === "Status" && event.status === "PENDING" && event.attempt > 0
      ? Console.log(`attempt ${event.attempt} was not the last`)
      : Effect.void
  )
  const { messageId } = yield* mail.await
  yield* Console.log(`sent as ${messageId}`)

  const lost = yield* SendEmail.submit({ to: { address: "nobody@example.org" }, subject: "hello" }, { priority: -1 })
  yield* lost.await.pipe(
    Effect.asVoid,
    Effect.catchTag("Refused", ({ code, reason }) => Console.log(`refused with ${code}: ${reason}`))
  )

  // somebody else, over HTTP
  const server = yield* HttpServer.HttpServer
  const answer = yield* Effect.promise(() =>
    fetch(`${HttpServer.formatAddress(server.address)}/api/v1/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "send-email", content: '{"to": {"address": "you"}}' })
    }).then((response) => response.text())
  )
  yield* Console.log(answer)
})

NodeRuntime.runMain(Effect.provide(program, Venom))
