import { Clock, Context, Effect } from "effect"
import { type Refused, SendEmail } from "./tasks.ts"

/** A service of the application. */
export class MailServer extends Context.Service<
  MailServer,
  { readonly send: (address: string, subject: string) => Effect.Effect<string, Refused> }
>()("app/MailServer") {}

export const SendEmailHandler = SendEmail.toLayer(({ subject, to }, attempt) =>
  Effect.gen(function* () {
    const server = yield* MailServer
    yield* attempt.log(`attempt ${attempt.task.attempt} for ${to.address}`)
    const messageId = yield* server.send(to.address, subject)
    return { messageId, sentAt: new Date(yield* Clock.currentTimeMillis) }
  })
)
