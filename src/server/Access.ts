import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import { problems } from "../api/Problem.ts"
import { allows, type ApiKey, idIn, isExpired, type Scope } from "../domain/ApiKey.ts"
import { ApiKeys } from "../ports/ApiKeys.ts"
import type { Refused } from "./Guard.ts"
import * as RequestQuota from "./RequestQuota.ts"
import { ServerSettings } from "./ServerSettings.ts"

/** What a route needs: nothing, or a key that allows so much. */
export type Needed = Scope | "none"

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** How long a session of a browser lasts, and how many there are at most, of all keys and of one: the oldest go first. */
const sessionLasts = Duration.hours(12)
const mostSessions = 1000
const mostOfOneKey = 100

export const sessionCookie = "venom_session"
const inCookie = new RegExp(`(?:^|;\\s*)${sessionCookie}=([\\w-]{43})(?:;|$)`)
const inAuthorization = /^bearer +([\x21-\x7e]+) *$/i

type Holder = Pick<ApiKey, "id" | "scope">

/** Whoever asks where no key is needed: all are one. */
const anyone: Holder = { id: "", scope: "admin" }

/**
 * Who may do what. A key is looked up by the id in it and compared by its hash, in the same time whatever it is;
 * a browser has it exchanged for a session, whose cookie no script can read and no other site can send.
 */
export class Access extends Context.Service<
  Access,
  {
    /** What is allowed to whoever sent these headers; none without a key that is known. */
    readonly scopeOf: (headers: Headers) => Scope | undefined
    /** Why a request is refused, if it is. It counts as one of whoever asks, however often this is asked about it. */
    readonly refusal: (request: object, method: string, needed: Needed, headers: Headers) => Refused | undefined
    /** Begins a session: the cookie for it, or none where the key is not known. */
    readonly begin: (key: string, isSecure: boolean) => string | undefined
    /** Ends the session of these headers: the cookie that deletes it. */
    readonly end: (headers: Headers) => string
  }
>()("venom/server/Access") {
  static readonly layer = Layer.effect(
    Access,
    Effect.gen(function* () {
      const keys = yield* ApiKeys
      const { prefix, readOnly, requestsPerKey } = yield* ServerSettings
      const clock = yield* Clock.Clock
      const quota = RequestQuota.make(requestsPerKey, clock)
      /** By the hash of what is in the cookie: for which key they stand. */
      const sessions = new Map<string, { readonly id: string; readonly hash: Buffer; readonly until: number }>()

      /** The key of this id, if this is its hash and it is in force. */
      const match = (id: string | undefined, hash: Buffer): ApiKey | undefined => {
        const key = keys.find(id)
        const isSame = timingSafeEqual(hash, key === undefined ? nobody : Buffer.from(key.sha256, "hex"))
        return key !== undefined && isSame && !isExpired(key, clock.currentTimeMillisUnsafe()) ? key : undefined
      }

      const known = (text: string): ApiKey | undefined => match(idIn(text), sha256(text))

      const sessionOf = (headers: Headers): ApiKey | undefined => {
        const secret = secretOf(headers)
        const session = secret === undefined ? undefined : sessions.get(nameOf(secret))
        return session !== undefined && session.until > clock.currentTimeMillisUnsafe()
          ? match(session.id, session.hash)
          : undefined
      }

      const bearerOf = ({ authorization }: Headers): string | undefined =>
        typeof authorization === "string" ? inAuthorization.exec(authorization)?.[1] : undefined

      const holderOf = (headers: Headers): Holder | undefined => {
        if (!keys.isLocked()) return anyone
        if (headers["authorization"] === undefined) return sessionOf(headers)
        const bearer = bearerOf(headers)
        return bearer === undefined ? undefined : known(bearer)
      }

      /** For one more session of a key. Its own go first: whoever has it logs out nobody else. */
      const makeRoom = (id: string): void => {
        const own = Array.from(sessions).flatMap(([name, session]) => (session.id === id ? [name] : []))
        for (const name of own.slice(0, Math.max(0, own.length + 1 - mostOfOneKey))) sessions.delete(name)
        for (const name of sessions.keys()) {
          if (sessions.size < mostSessions) break
          sessions.delete(name)
        }
      }

      return Access.of({
        scopeOf: (headers) => holderOf(headers)?.scope,
        refusal: (request, method, needed, headers) => {
          if (needed === "none") return undefined
          if (readOnly && !reads.has(method))
            return { kind: problems.forbidden, detail: "This service is read-only (VENOM_READ_ONLY)" }
          const holder = holderOf(headers)
          if (holder === undefined) {
            const detail =
              headers["authorization"] === undefined
                ? "This service needs an API key: Authorization: Bearer …"
                : "The Authorization header has no API key that is known, or it has expired or was revoked"
            return { kind: problems.unauthorized, detail, headers: challenge }
          }
          const wait = quota.wait(holder.id, request)
          if (wait !== undefined) {
            return {
              kind: problems.tooManyRequests,
              detail: `A key may ask for ${requestsPerKey} things a second, and this one asks for more`,
              headers: { "retry-after": String(wait) }
            }
          }
          if (!allows(holder.scope, needed)) {
            return {
              kind: problems.forbidden,
              detail: `This needs a key of the scope ${needed}, and this one has ${holder.scope}`
            }
          }
          if (holder === anyone) return undefined
          const isBySession = headers["authorization"] === undefined
          return isBySession && !reads.has(method) && !isFromOwnPage(headers)
            ? { kind: problems.refusedOrigin, detail: "With a session, only pages of this service may write" }
            : undefined
        },
        begin: (text, isSecure) => {
          const key = known(text)
          if (key === undefined) return undefined
          makeRoom(key.id)
          const secret = randomBytes(32).toString("base64url")
          const until = clock.currentTimeMillisUnsafe() + Duration.toMillis(sessionLasts)
          sessions.set(nameOf(secret), { id: key.id, hash: sha256(text), until })
          return cookie(secret, prefix, Duration.toSeconds(sessionLasts), isSecure)
        },
        end: (headers) => {
          const secret = secretOf(headers)
          if (secret !== undefined) sessions.delete(nameOf(secret))
          return cookie("", prefix, 0, false)
        }
      })
    })
  )
}

const reads = new Set(["GET", "HEAD"])
export const challenge = { "www-authenticate": `Bearer realm="venom"` }

const secretOf = ({ cookie }: Headers): string | undefined =>
  typeof cookie === "string" ? inCookie.exec(cookie)?.[1] : undefined

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest()
const nameOf = (secret: string): string => sha256(secret).toString("hex")

/** Compared with where a key is not known, so that it takes as long. */
const nobody = randomBytes(32)

/** Its `Origin` was held to its `Host` before; here it must be there, or the browser say the same in another way. */
const isFromOwnPage = (headers: Headers): boolean =>
  headers["origin"] !== undefined || headers["sec-fetch-site"] === "same-origin"

const cookie = (value: string, prefix: string, seconds: number, isSecure: boolean): string =>
  `${sessionCookie}=${value}; Path=${prefix || "/"}; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isSecure ? "; Secure" : ""}`
