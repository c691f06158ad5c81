import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Engine, FileStateRepository, Orchestrator, TaskRunner } from "venom"

const Runner = Layer.succeed(TaskRunner, {
  run: (task, attempt) => Effect.as(attempt.log("shouting"), task.content.toUpperCase())
})

const Venom = Engine.layer.pipe(
  Layer.provide([Runner, FileStateRepository.layer({ directory: "data/embedded" }), SecureRandom.layerWebCrypto]),
  Layer.provide(NodeFileSystem.layer)
)

const program = Effect.gen(function* () {
  const venom = yield* Orchestrator
  const { id } = yield* venom.submit({ content: "hello" })
  yield* Console.log(yield* venom.awaitFinal(id))
})

NodeRuntime.runMain(Effect.provide(program, Venom))
