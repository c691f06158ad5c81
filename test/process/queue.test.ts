import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
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

const Why = Schema.Struct({ reasons: Schema.Array(Schema.Struct({ code: Schema.String })) })

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

describe("a task", { concurrent: true }, () => {
  it.live("wants to be run after kill -9 as it did before", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const wishes = {
        type: "mail",
        priority: 3,
        run_at: "2100-01-01T00:00:00.000Z",
        max_attempts: 2,
        timeout: "5 seconds",
        backoff: { kind: "linear", base: "1 second", cap: "1 minute", jitter: 0 },
        deadline: "2100-01-02T00:00:00.000Z",
        tags: ["a"],
        concurrency_key: "tenant-7",
        unique_key: "only one",
        retention: "1 day"
      }
      const first = yield* serve(data, quickly)
      const id = yield* first.submit("a letter", wishes)
      const before = yield* told(first, `/tasks/${id}`)
      assert.deepInclude(before, wishes)
      yield* first.kill

      const second = yield* serve(data, quickly)
      assert.deepStrictEqual(yield* told(second, `/tasks/${id}`), before)
      assert.strictEqual(yield* second.submit("another one", { unique_key: "only one" }), id)
      const { reasons } = yield* Schema.decodeUnknownEffect(Why)(yield* told(second, `/tasks/${id}/why`))
      assert.deepStrictEqual(
        reasons.map(({ code }) => code),
        ["not_due"]
      )
    })
  )

  it.live("is waited for until it is final, or the service stops", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, quickly)
      const wait = { prefer: "wait=30" }
      const path = `/api/v1/tasks/${yield* venom.submit("soon", { delay: "300 millis" })}`
      const done = yield* venom.ask({ path, headers: wait })
      assert.include(done.text, '"status":"COMPLETED"')
      assert.strictEqual(done.headers["preference-applied"], "wait=30")

      const late = `/api/v1/tasks/${yield* venom.submit("late", { delay: "1 hour" })}`
      const waiting = yield* Effect.forkChild(venom.ask({ path: late, headers: wait }), { startImmediately: true })
      // it is asked before the service is told to stop
      yield* venom.ask({ path })
      const { code } = yield* venom.stop
      const answer = yield* Fiber.join(waiting)
      assert.strictEqual(answer.status, 200)
      assert.include(answer.text, '"status":"PENDING"')
      assert.strictEqual(code, 0)
    })
  )
})
