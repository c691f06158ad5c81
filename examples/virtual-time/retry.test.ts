import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { Engine, isFinished, MemoryStateRepository, Orchestrator, TaskError, TaskRunner } from "venom"

const Runner = Layer.succeed(TaskRunner, {
  run: ({ attempt }) => (attempt < 4 ? Effect.fail(TaskError.retryable("not yet")) : Effect.succeed("at last"))
})

const Venom = Engine.layer.pipe(Layer.provide([Runner, MemoryStateRepository.layer(), SecureRandom.layerWebCrypto]))

it.effect("a task that fails is tried again, and nobody waits for it", () =>
  Effect.gen(function* () {
    const venom = yield* Orchestrator
    const { id } = yield* venom.submit({ content: "hello" })
    const aSecondLater = Effect.andThen(TestClock.adjust("1 second"), venom.get(id))
    const task = yield* Effect.repeat(aSecondLater, { until: isFinished, times: 60 })
    assert.deepInclude(task, { status: "COMPLETED", result: "at last", attempt: 4 })
  }).pipe(Effect.provide(Venom))
)
