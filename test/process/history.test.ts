import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Random } from "effect"
import { audit, Client, Pauser, work } from "./support/History.ts"
import { directory, serve, until } from "./support/Service.ts"

const seed = Number(process.env["TEST_SEED"] ?? Date.now() % 1e6)
const lives = 6

describe("a random history", () => {
  it.live(
    `of six lives breaks no promise, seed ${seed}`,
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const clients = Array.from({ length: 6 }, (_, n) => new Client(`c${n}`))
        const pauser = new Pauser()
        const answers = () => [...clients, pauser].reduce((sum, one) => sum + one.answers, 0)
        for (let life = 1; life <= lives; life++) {
          yield* Effect.gen(function* () {
            const concurrency = yield* Random.nextIntBetween(1, 8)
            const venom = yield* serve(data, { ...work, VENOM_CONCURRENCY: `${concurrency}` })
            yield* audit(venom, clients)
            yield* pauser.audit(venom)
            const enough = answers() + (yield* Random.nextIntBetween(50, 400))
            const asking = yield* Effect.forkChild(
              Effect.forEach(
                [...clients, pauser],
                (one, n) =>
                  Effect.forever(one.step(venom)).pipe(
                    Effect.catchTag("Unanswered", () => Effect.void),
                    Random.withSeed(`${seed} ${life} ${n}`)
                  ),
                { concurrency: "unbounded", discard: true }
              )
            )
            yield* Effect.raceFirst(
              until("answers", Effect.sync(answers), (count) => count >= enough),
              Fiber.join(asking)
            )
            if ((yield* Random.next) < 0.7) yield* venom.kill
            else assert.strictEqual((yield* venom.stop).code, 0)
            yield* Fiber.join(asking)
          }).pipe(Effect.scoped, Random.withSeed(`${seed} ${life}`))
        }
        const last = yield* serve(data, work)
        yield* pauser.turn(last, false)
        const tasks = yield* last.settled
        yield* audit(last, clients)
        assert.strictEqual((yield* last.stop).code, 0)
        const again = yield* serve(data, work)
        assert.deepStrictEqual(yield* again.list, tasks)
        assert.isAbove(tasks.length, 50)
      }),
    180_000
  )
})
