import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Layer, Ref } from "effect"
import { SecureRandom } from "effect/crypto"
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

/** The queue with its HTTP API; port 0 picks a free one. */
export const service = (port: number) =>
  NodeServer.layer({ port }).pipe(
    Layer.provideMerge(Engine.layer),
    Layer.provide([Runner, FileStateRepository.layer({ directory: "data/typed" })]),
    Layer.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])
  )
