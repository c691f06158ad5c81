import { Context, Effect, flow, Layer, type Redacted, Tracer } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import * as Trace from "../domain/Trace.ts"

export interface Options {
  /** Where the service is, with the prefix where it is mounted under one: `http://127.0.0.1:8000`. */
  readonly url: string
  /** Sent as a bearer key with each request. */
  readonly key?: Redacted.Redacted
}

/** Where nothing traces, the library sends spans of its own all the same, which nobody will ever find. */
const ofOneTrace = flow(
  HttpClient.mapRequestEffect((request: HttpClientRequest.HttpClientRequest) =>
    Effect.map(Trace.current, (place) =>
      place === undefined ? request : HttpClientRequest.setHeader(request, "traceparent", place)
    )
  ),
  HttpClient.transformResponse((response) =>
    Effect.flatMap(Effect.tracer, (tracer) =>
      tracer === Tracer.nativeTracer
        ? Effect.provideService(response, HttpClient.TracerDisabledWhen, () => true)
        : response
    )
  )
)

const make = ({ key, url }: Options) =>
  HttpApiClient.make(VenomApi, {
    baseUrl: url,
    transformClient: (client) => {
      const traced = ofOneTrace(client)
      return key === undefined ? traced : HttpClient.mapRequest(traced, HttpClientRequest.bearerToken(key))
    }
  })

/**
 * Every route of a service, typed: `client.tasks.submit({ payload, headers })`, `client.queue.pause({ payload })`.
 *
 * A request is checked before it is sent. Problem documents come back as the errors that `VenomApi` declares, a service
 * that does not answer as `HttpClientError`. Nothing is sent twice: a submit that got no answer may have happened, and
 * only one with an idempotency key may be sent again.
 *
 * Runs wherever there is an `HttpClient`: in Node, and with `FetchHttpClient.layer` in a browser.
 */
export class VenomClient extends Context.Service<VenomClient, Effect.Success<ReturnType<typeof make>>>()(
  "venom/client/VenomClient"
) {
  static readonly layer = (options: Options): Layer.Layer<VenomClient, never, HttpClient.HttpClient> =>
    Layer.effect(VenomClient, make(options))
}
