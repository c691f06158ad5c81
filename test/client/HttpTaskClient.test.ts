import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { FetchHttpClient } from "effect/http"
import * as HttpTaskClient from "../../src/client/HttpTaskClient.ts"
import { VenomClient } from "../../src/client/VenomClient.ts"
import { TaskClient } from "../../src/ports/TaskClient.ts"
import type { TaskRunner } from "../../src/ports/TaskRunner.ts"
import * as TaskClientTest from "../ports/TaskClientTest.ts"
import { port, served } from "../server/support.ts"

const clientAt = (url: string) =>
  HttpTaskClient.layer.pipe(Layer.provideMerge(VenomClient.layer({ url })), Layer.provide(FetchHttpClient.layer))

const overHttp = (runner: Layer.Layer<TaskRunner>) =>
  Layer.unwrap(Effect.map(port, (at) => clientAt(`http://127.0.0.1:${at}`))).pipe(Layer.provide(served({ runner })))

TaskClientTest.suite("http", overHttp)

it.live("a service that is not there is an unavailable queue", () =>
  Effect.gen(function* () {
    const client = yield* TaskClient
    const refused = yield* Effect.flip(client.submit({ content: "nobody hears" }))
    assert.strictEqual(refused._tag, "QueueUnavailable")
  }).pipe(Effect.provide(clientAt("http://127.0.0.1:1")))
)
