import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Stream } from "effect"
import { HttpServer } from "effect/http"
import { service } from "./service.ts"
import { SendEmail } from "./tasks.ts"

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

NodeRuntime.runMain(Effect.provide(program, service(0)))
