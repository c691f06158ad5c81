import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Layer, Stream } from "effect"
import { SecureRandom } from "effect/crypto"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { Draining } from "../../src/engine/Draining.ts"
import * as Engine from "../../src/engine/Engine.ts"
import { Events } from "../../src/engine/Events.ts"
import { TaskClient } from "../../src/ports/TaskClient.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import * as TaskClientTest from "../ports/TaskClientTest.ts"

const queue = (runner: Layer.Layer<TaskRunner>) =>
  Engine.layer.pipe(Layer.provide([runner, MemoryStateRepository.layer(), SecureRandom.layerWebCrypto]))

TaskClientTest.suite("in-process", queue)

it.effect("whoever waits or follows is told when the service stops", () =>
  Effect.gen(function* () {
    const client = yield* TaskClient
    const { id } = yield* client.submit({ content: "for ever" })
    const waiting = yield* Effect.forkChild(Effect.flip(client.wait(id)), { startImmediately: true })
    const following = yield* Effect.forkChild(Effect.flip(Stream.runDrain(client.events(id))), {
      startImmediately: true
    })
    yield* (yield* Draining).begin
    const stopping = "The queue is not available: the service is shutting down"
    assert.strictEqual((yield* Fiber.join(waiting)).message, stopping)
    assert.strictEqual((yield* Fiber.join(following)).message, stopping)
    const refused = yield* Effect.flip(client.submit({ content: "late" }))
    assert.strictEqual(refused._tag, "QueueUnavailable")
  }).pipe(Effect.provide(queue(Layer.succeed(TaskRunner, { run: () => Effect.never }))))
)

it.effect("a reader that is too slow is followed again, and hears the end", () =>
  Effect.gen(function* () {
    const mayRead = yield* Latch.make(false)
    const mayEnd = yield* Latch.make(false)
    const runner = Layer.succeed(TaskRunner, { run: () => Effect.as(mayEnd.await, "done") })
    yield* Effect.gen(function* () {
      const client = yield* TaskClient
      const { id } = yield* client.submit({ content: "tells much" })
      const hasBegun = yield* Latch.make(false)
      const heard: Array<string> = []
      const reading = yield* client.events(id).pipe(
        Stream.runForEach((event) => {
          heard.push(event._tag === "Status" ? event.task.status : event._tag)
          return Effect.andThen(hasBegun.open, mayRead.await)
        }),
        Effect.forkChild({ startImmediately: true })
      )
      yield* hasBegun.await
      const { tellProgress } = yield* Events
      for (let n = 0; n < 3000; n++) tellProgress(id, { percent: n / 30, message: null })
      yield* Effect.andThen(mayEnd.open, mayRead.open)
      yield* Fiber.join(reading)
      assert.strictEqual(heard.at(-1), "COMPLETED")
      assert.isBelow(heard.length, 3000)
    }).pipe(Effect.provide(queue(runner)))
  })
)
