import { it } from "@effect/vitest"
import { Deferred, Effect, Layer, Logger } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpServer } from "effect/http"
import { assert, describe } from "vitest"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { make, StartProgress } from "../../src/ports/StartProgress.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import * as NodeServer from "../../src/server/NodeServer.ts"
import { idleRunner } from "../server/support.ts"
import { isMissing, launch } from "./chromium.ts"

describe.skipIf(isMissing)("while the state is read, the dashboard", () => {
  it.live("says how far that is, and comes up by itself", () =>
    Effect.gen(function* () {
      const mayGoOn = yield* Deferred.make<void>()
      const progress = make()
      const repository = Layer.effect(
        StateRepository,
        Effect.andThen(Deferred.await(mayGoOn), Effect.service(StateRepository))
      ).pipe(Layer.provide(MemoryStateRepository.layer()))
      const listening = yield* Layer.build(
        NodeServer.listening({ port: 0 }).pipe(Layer.provide(Layer.succeed(StartProgress, progress)))
      )
      const answering = NodeServer.answering.pipe(
        Layer.provide(Engine.layer),
        Layer.provide([repository, idleRunner]),
        Layer.provide(SecureRandom.layerWebCrypto),
        Layer.provide(Layer.succeedContext(listening)),
        Layer.provide(Logger.layer([]))
      )
      const { address } = yield* Effect.provideContext(HttpServer.HttpServer, listening)
      const browser = yield* Effect.acquireRelease(Effect.promise(launch), (browser) =>
        Effect.promise(() => browser.close())
      )
      const page = yield* Effect.promise(() => browser.newPage())
      progress.tell({ doing: "recovering", done: 430_000, total: 1_000_000, unit: "records" })
      yield* Effect.promise(async () => {
        await page.goto(`http://127.0.0.1:${address._tag === "UnixPathAddress" ? "" : address.port}`)
        await page.getByText("Venom is starting: recovering 430,000 of 1,000,000 records. Trying again.").waitFor()
      })
      yield* Deferred.succeed(mayGoOn, undefined)
      yield* Layer.build(answering)
      yield* Effect.promise(async () => {
        await page.getByText("There is no task yet.").waitFor()
        assert.strictEqual(await page.locator(".banner").count(), 0)
      })
    }).pipe(Effect.scoped)
  )
})
