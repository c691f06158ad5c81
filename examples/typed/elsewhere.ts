import { Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import { HttpTaskClient, VenomClient } from "venom/client"

export const Elsewhere = HttpTaskClient.layer.pipe(
  Layer.provideMerge(VenomClient.layer({ url: "http://127.0.0.1:8000" })),
  Layer.provide(FetchHttpClient.layer)
)
