import { Schema } from "effect"
import { Instant } from "./Task.ts"

/** What a key allows: to look, to submit and change tasks, to change what holds for all. Each allows what those before it do. */
export const Scope = Schema.Literals(["read", "write", "admin"]).annotate({ identifier: "Scope" })
export type Scope = typeof Scope.Type

const ranks: Readonly<Record<Scope, number>> = { read: 0, write: 1, admin: 2 }

export const allows = (held: Scope, needed: Scope): boolean => ranks[held] >= ranks[needed]

/** Twelve letters and digits that tell keys apart; no secret. */
export const KeyId = Schema.String.check(Schema.isPattern(/^[0-9a-z]{12}$/, { message: "expected the id of a key" }))

export const KeyName = Schema.String.check(
  Schema.isPattern(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u, {
    message: "expected up to 64 letters, digits, spaces and . _ @ -"
  })
)

/** A key as it is kept: whoever reads this cannot use it. */
export const ApiKey = Schema.Struct({
  id: KeyId,
  name: KeyName,
  scope: Scope,
  /** Of the whole key, in hexadecimal. */
  sha256: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/, { message: "expected a SHA-256" })),
  createdAt: Instant,
  expiresAt: Schema.NullOr(Instant)
}).pipe(Schema.encodeKeys({ createdAt: "created_at", expiresAt: "expires_at" }))
export type ApiKey = typeof ApiKey.Type

export const isExpired = ({ expiresAt }: Pick<ApiKey, "expiresAt">, now: Instant): boolean =>
  expiresAt !== null && expiresAt <= now

/** A key as its holder has it. */
export const text = (id: string, secret: string): string => `venom_${id}_${secret}`

/** The id in a key, where it is written as ours are. */
export const idIn = (key: string): string | undefined => /^venom_([0-9a-z]{12})_/.exec(key)?.[1]
