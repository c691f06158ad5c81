import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Clock, Context, Effect, Layer, Predicate, Schema, type Scope, Stream } from "effect"
import { Hex } from "effect/encoding"
import { HttpClient, type HttpClientError, HttpClientRequest } from "effect/http"
import { lookupPublic, refusedCode } from "./Addresses.ts"
import * as Trace from "../../domain/Trace.ts"
import * as Signature from "./Signature.ts"
import { type Target, urlOf } from "./Target.ts"

/** There is no such place to send to. */
export class InvalidTarget extends Schema.TaggedError<InvalidTarget>()("InvalidTarget", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** No answer came, or not to its end. Whether the message was heard is not known. */
export class Unanswered extends Schema.TaggedError<Unanswered>()("Unanswered", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

export interface Post {
  /** The same whenever the same message is sent again. */
  readonly id: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  /** Whether more came than was asked for; it was not read. */
  readonly isCut: boolean
}

const named = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return named(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  return error.message !== "" ? error.message : Predicate.hasProperty(error, "code") ? `${error.code}` : error.name
}

const reasonOf = (host: string, { cause, message }: HttpClientError.HttpClientError): Unanswered => {
  const isRefused = Predicate.hasProperty(cause, "code") && cause.code === refusedCode
  const hint = isRefused ? ": if it is meant, allow private addresses" : ""
  return new Unanswered({ reason: `no answer from ${host}: ${cause === undefined ? message : named(cause)}${hint}` })
}

/**
 * Makes what sends messages to one target, each as a POST on a connection of its own, signed by the Standard Webhooks
 * specification and with a `traceparent`: where this fiber is in a trace, or a new one.
 *
 * - Redirects are answers like others: they are not followed.
 * - Unless the target may be private, the address is held to being one of the internet at the moment of the connect.
 * - Interrupting it ends the request and its connection.
 */
export const make = Effect.fnUntraced(function* (
  target: Target
): Effect.fn.Return<(post: Post, bytes: number) => Effect.Effect<Answer, Unanswered>, InvalidTarget, Scope.Scope> {
  const url = yield* Effect.mapError(Effect.fromResult(urlOf(target)), (reason) => new InvalidTarget({ reason }))
  // a connection kept open may close just when the next message goes out
  const options = { keepAlive: false, ...(target.allowPrivate ? {} : { lookup: lookupPublic }) }
  const client = HttpClient.withScope(
    Context.get(yield* Layer.build(NodeHttpClient.layerNodeHttpOptions(options)), HttpClient.HttpClient)
  ).pipe(
    // a span of its own would tell where it goes and with which headers
    HttpClient.transformResponse(Effect.provideService(HttpClient.TracerDisabledWhen, () => true))
  )

  return Effect.fnUntraced(
    function* (post, bytes) {
      const timestamp = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const request = HttpClientRequest.post(url).pipe(
        HttpClientRequest.bodyText(post.body, "text/plain; charset=utf-8"),
        HttpClientRequest.setHeaders({
          "user-agent": "venom",
          ...target.headers,
          ...post.headers,
          traceparent: (yield* Trace.current) ?? `00-${Hex.random(32)}-${Hex.random(16)}-01`,
          ...Signature.headers(target.secrets, { id: post.id, timestamp, body: post.body })
        })
      )
      const response = yield* client.execute(request)
      const chunks: Array<Uint8Array> = []
      let size = 0
      yield* response.stream.pipe(
        Stream.takeUntil((chunk) => {
          chunks.push(chunk)
          size += chunk.length
          return size > bytes
        }),
        Stream.runDrain
      )
      return {
        status: response.status,
        headers: response.headers,
        body: Buffer.concat(chunks).subarray(0, bytes),
        isCut: size > bytes
      }
    },
    Effect.mapError((error) => reasonOf(url.host, error)),
    Effect.scoped
  )
})
