import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { HttpTaskClient, VenomClient } from "venom/client"
import { SendEmail } from "./tasks.ts"

const Elsewhere = HttpTaskClient.layer.pipe(
  Layer.provideMerge(VenomClient.layer({ url: process.env["VENOM_URL"] ?? "http://127.0.0.1:8000" })),
  Layer.provide(FetchHttpClient.layer)
)

const program = Effect.gen(function* () {
  const mail = yield* SendEmail.submit({ to: { address: "you@example.org" }, subject: "from elsewhere" })
  const { messageId, sentAt } = yield* mail.await
  yield* Console.log(`sent as ${messageId} in ${sentAt.getUTCFullYear()}`)

  const lost = yield* SendEmail.submit({ to: { address: "nobody@example.org" }, subject: "from elsewhere" })
  yield* lost.await.pipe(
    Effect.asVoid,
    Effect.catchTag("Refused", ({ code, reason }) => Console.log(`refused with ${code}: ${reason}`))
  )
})

NodeRuntime.runMain(Effect.provide(program, Elsewhere))
