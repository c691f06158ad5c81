import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import { HttpClient, HttpClientError } from "effect/http"

/** How long a collector may take to answer. */
const answersWithin = Duration.seconds(10)

/** Batches on their way at once: of more than a collector takes in so long, nothing is kept. */
const mostOnTheWay = 8

/** A collector that is down should not fill the log as well. */
const lineEvery = Duration.toMillis("1 minute")

/** What a batch needs to be sent, and whether there is room for more of them. */
export interface Collector {
  readonly client: HttpClient.HttpClient
  readonly hasRoom: () => boolean
}

/** A collector that is slow or down costs what is sent to it, and nothing else. */
export const make = Effect.gen(function* () {
  const plain = Context.get(yield* Layer.build(NodeHttpClient.layerNodeHttp), HttpClient.HttpClient)
  const clock = yield* Clock.Clock
  let onTheWay = 0
  let toldAt: number | undefined

  const tell = ({ message, request }: HttpClientError.HttpClientError) =>
    Effect.suspend(() => {
      const now = clock.currentTimeMillisUnsafe()
      if (toldAt !== undefined && Math.abs(now - toldAt) < lineEvery) return Effect.void
      toldAt = now
      return Effect.logWarning(`Telemetry cannot be sent, and is lost meanwhile: ${message}`, request.url)
    })

  const client = plain.pipe(
    HttpClient.filterStatusOk,
    HttpClient.transform((answer, request) =>
      Effect.suspend(() => {
        onTheWay++
        return answer.pipe(
          Effect.timeoutOrElse({
            duration: answersWithin,
            orElse: () =>
              Effect.fail(
                new HttpClientError.HttpClientError({
                  reason: new HttpClientError.TransportError({
                    request,
                    cause: new Error(`no answer within ${Duration.format(answersWithin)}`)
                  })
                })
              )
          }),
          Effect.tapError(tell),
          Effect.ensuring(Effect.sync(() => onTheWay--))
        )
      })
    )
  )
  const collector: Collector = { client, hasRoom: () => onTheWay < mostOnTheWay }
  return collector
})
