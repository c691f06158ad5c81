import { createHmac } from "node:crypto"
import { Redacted, Schema } from "effect"

const prefix = "whsec_"

const keyOf = (secret: string): Buffer => Buffer.from(secret.slice(prefix.length), "base64")

const isSecret = (secret: string): boolean => {
  const key = keyOf(secret)
  const given = secret.slice(prefix.length).replace(/=+$/, "")
  return (
    secret.startsWith(prefix) &&
    key.toString("base64").replace(/=+$/, "") === given &&
    key.length >= 24 &&
    key.length <= 64
  )
}

/** A key as Standard Webhooks writes it. */
export const Secret = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.makeFilter<string>((secret) =>
      isSecret(secret)
        ? undefined
        : "expected whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32)"
    )
  )
)
export type Secret = typeof Secret.Type

/** What is signed. The id has no full stop, so that no two messages sign alike. */
export interface Message {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

const sign = (secret: Secret, { body, id, timestamp }: Message): string =>
  `v1,${createHmac("sha256", keyOf(Redacted.value(secret)))
    .update(`${id}.${timestamp}.${body}`, "utf8")
    .digest("base64")}`

/**
 * The headers of a message by the Standard Webhooks specification. With several secrets it has a signature by each,
 * so that a receiver may change from one to the other.
 */
export const headers = (secrets: ReadonlyArray<Secret>, message: Message): Readonly<Record<string, string>> => ({
  "webhook-id": message.id,
  "webhook-timestamp": `${message.timestamp}`,
  ...(secrets.length === 0 ? {} : { "webhook-signature": secrets.map((secret) => sign(secret, message)).join(" ") })
})
