import { Schema } from "effect"
import { TaskType } from "venom/client"

/** What a mail server says when it does not take a mail. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.Int, reason: Schema.String }) {
  override get message() {
    return `${this.code} ${this.reason}`
  }
}

export const SendEmail = TaskType.make("send-email", {
  payload: Schema.Struct({
    to: Schema.Struct({
      address: Schema.String.check(Schema.isPattern(/^\S+@\S+$/, { message: "Expected an address" }))
    }),
    subject: Schema.String
  }),
  success: Schema.Struct({ messageId: Schema.String, sentAt: Schema.Date }),
  failure: Refused,
  maxAttempts: 5,
  timeout: "30 seconds",
  backoff: { kind: "exponential", base: "100 millis" },
  tags: ["mail"],
  concurrencyKey: ({ to }) => to.address.slice(to.address.indexOf("@") + 1),
  uniqueKey: ({ subject, to }) => `${to.address} ${subject}`,
  retry: ({ code }) => (code >= 500 ? "never" : code === 450 ? "1 second" : "backoff")
})
