import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, References, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Engine, FileStateRepository, Orchestrator, type TaskId, TaskHandlers, TaskType } from "../../src/index.ts"

const Resize = TaskType.make("resize", {
  payload: Schema.Struct({ width: Schema.Int }),
  success: Schema.Struct({ bytes: Schema.BigInt }),
  failure: Schema.Struct({ code: Schema.Int }),
  maxAttempts: 1
})
/** Another version of it, which wants to know more. */
const ResizeBoth = TaskType.make("resize", {
  payload: Schema.Struct({ width: Schema.Int, height: Schema.Int }),
  success: Schema.Struct({ bytes: Schema.BigInt })
})

const before = TaskHandlers.layer(Resize).pipe(
  Layer.provide(
    Resize.toLayer(({ width }) => (width < 0 ? Effect.fail({ code: width }) : Effect.succeed({ bytes: BigInt(width) })))
  )
)
const after = TaskHandlers.layer(ResizeBoth).pipe(
  Layer.provide(ResizeBoth.toLayer(({ height, width }) => Effect.succeed({ bytes: BigInt(width * height) })))
)

const life = (directory: string, runner: typeof before) =>
  Engine.layer.pipe(
    Layer.provide([runner, FileStateRepository.layer({ directory }), SecureRandom.layerWebCrypto]),
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
  )

it.live("values outlive the process on disk, and what a deploy has changed is rejected", () =>
  Effect.gen(function* () {
    const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "venom-typed-" })

    const left = yield* Effect.gen(function* () {
      const done = yield* Resize.submit({ width: 12 })
      const failed = yield* Resize.submit({ width: -7 })
      const waiting = yield* Resize.submit({ width: 5 }, { runAt: Date.now() + 10 * 60_000 })
      yield* done.await
      yield* Effect.flip(failed.await)
      return { done: done.id, failed: failed.id, waiting: waiting.id }
    }).pipe(Effect.provide(life(directory, before)))

    yield* Effect.gen(function* () {
      assert.deepStrictEqual(yield* (yield* Resize.handle(left.done)).await, { bytes: 12n })
      assert.deepStrictEqual(yield* Effect.flip((yield* Resize.handle(left.failed)).await), { code: -7 })
    }).pipe(Effect.provide(life(directory, before)))

    yield* Effect.gen(function* () {
      const orchestrator = yield* Orchestrator
      const ended = (id: TaskId) => Effect.map(orchestrator.awaitFinal(id), ({ failure, status }) => [status, failure])
      const rejected = {
        reason: "rejected",
        message: "The content is none of type resize: content.height: Missing"
      }
      // as it would be in ten minutes; cancelled, it may be retried by hand at once
      yield* orchestrator.cancel(left.waiting)
      yield* orchestrator.retry(left.waiting)
      assert.deepStrictEqual<unknown>(yield* ended(left.waiting), ["FAILED", rejected])
      const now = yield* ResizeBoth.submit({ width: 3, height: 4 })
      assert.deepStrictEqual(yield* now.await, { bytes: 12n })
    }).pipe(Effect.provide(life(directory, after)))

    // the deploy is taken back
    yield* Effect.gen(function* () {
      yield* (yield* Orchestrator).retry(left.waiting)
      assert.deepStrictEqual(yield* (yield* Resize.handle(left.waiting)).await, { bytes: 5n })
    }).pipe(Effect.provide(life(directory, before)))
  }).pipe(Effect.provide(NodeFileSystem.layer))
)
