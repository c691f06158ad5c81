import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Engine, Orchestrator, TaskRunner } from "venom"
import { PostgresStateRepository } from "venom/postgres"

const Runner = Layer.succeed(TaskRunner, { run: (task) => Effect.succeed(task.content.toUpperCase()) })

// each process that has this takes its part of the tasks
const Venom = Engine.layer.pipe(
  Layer.provide([Runner, PostgresStateRepository.layer({ url: process.env["DATABASE_URL"] ?? "" })]),
  Layer.provide(SecureRandom.layerWebCrypto)
)

const program = Effect.gen(function* () {
  const venom = yield* Orchestrator
  const { id } = yield* venom.submit({ content: "hello" })
  const { result, status } = yield* venom.awaitFinal(id)
  yield* Console.log(status, result)
})

NodeRuntime.runMain(Effect.provide(program, Venom))
