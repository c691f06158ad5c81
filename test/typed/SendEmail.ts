import { Schema } from "effect"
import { TaskType } from "../../src/index.ts"

export class Bounced extends Schema.TaggedError<Bounced>()("Bounced", {
  address: Schema.String,
  retryAfter: Schema.optionalKey(Schema.Int)
}) {
  override get message() {
    return `${this.address} does not exist`
  }
}

export const SendEmail = TaskType.make("send-email", {
  payload: Schema.Struct({
    to: Schema.Struct({ address: Schema.String.check(Schema.isMinLength(3)) }),
    subject: Schema.String,
    at: Schema.optionalKey(Schema.Date)
  }),
  success: Schema.Struct({ sentAt: Schema.Date }),
  failure: Bounced,
  priority: 3,
  maxAttempts: 4,
  timeout: "30 seconds",
  backoff: { kind: "fixed", base: "10 seconds", jitter: 0 },
  deadline: "1 hour",
  retention: "1 day",
  tags: ["mail"],
  concurrencyKey: ({ to }) => to.address.split("@")[1] ?? "nowhere",
  uniqueKey: ({ subject, to }) => `${to.address} ${subject}`,
  retry: ({ retryAfter }, attempt) => (attempt === 3 ? "never" : (retryAfter ?? "backoff"))
})
