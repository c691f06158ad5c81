import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { directory, serve, type Service, until } from "./support/Service.ts"

const quickly = { VENOM_SIMULATED_DURATION: "0 seconds", VENOM_DUMP_INTERVAL: "1 hour" }

const write = (venom: Service, method: string, path: string, body: unknown) =>
  venom.ask({
    method,
    path: `/api/v1${path}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })

const told = (venom: Service, path: string) =>
  Effect.map(venom.ask({ path: `/api/v1${path}` }), ({ text }): unknown => JSON.parse(text))

const Schedule = Schema.fromJsonString(
  Schema.Struct({ last_run: Schema.NullOr(Schema.Struct({ slot: Schema.String, task_id: Schema.String })) })
)

describe("what holds back the queue", { concurrent: true }, () => {
  it.live("stands after kill -9: pauses and limits", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const limits = { types: { mail: { concurrency: 2 } }, keys: { a: { concurrency: 1 } }, each_key: 3 }
      const first = yield* serve(data, quickly)
      yield* write(first, "POST", "/queue/pause", { type: "mail" })
      assert.strictEqual((yield* write(first, "PUT", "/queue/limits", limits)).status, 200)
      const held = yield* first.submit("held", { type: "mail" })
      yield* first.kill

      const second = yield* serve(data, quickly)
      assert.deepStrictEqual(yield* told(second, "/queue/limits"), limits)
      yield* second.reaches(yield* second.submit("goes on"), "COMPLETED")
      assert.strictEqual((yield* second.get(held)).status, "PENDING")
      yield* write(second, "POST", "/queue/resume", { type: "mail" })
      yield* second.reaches(held, "COMPLETED")
    })
  )

  it.live("schedules go on after kill -9, and no slot has two tasks", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const lives = 4
      for (let life = 0; life < lives; life++) {
        const venom = yield* serve(data, quickly)
        if (life === 0) {
          const { status } = yield* write(venom, "PUT", "/schedules/tick", {
            every: "1 second",
            missed: "once",
            task: { content: "tick", type: "tick" }
          })
          assert.strictEqual(status, 201)
        }
        const before = (yield* venom.list).length
        yield* until("one more run", venom.list, (tasks) => tasks.length > before)
        yield* venom.kill
      }
      const venom = yield* serve(data, quickly)
      const slots = (yield* venom.list).map(({ logs }) => logs[0]?.split(" for ")[1])
      assert.isAtLeast(slots.length, lives)
      assert.strictEqual(new Set(slots).size, slots.length)
      const { text } = yield* venom.ask({ path: "/api/v1/schedules/tick" })
      assert.isNotNull((yield* Schema.decodeUnknownEffect(Schedule)(text)).last_run)
    })
  )
})
