import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Random, Schema } from "effect"
import { isRunning } from "./support/Files.ts"
import type { Answer } from "./support/Http.ts"
import { directory, serve, type Service, until } from "./support/Service.ts"

const forever = { VENOM_SIMULATED_DURATION: "1 hour" }
const instantly = { VENOM_SIMULATED_DURATION: "0 seconds", VENOM_DUMP_INTERVAL: "100 millis" }
const range = (count: number) => Array.from({ length: count }, (_, n) => n)
const json = { "content-type": "application/json" }

const Response = Schema.Struct({ task_id: Schema.String, status: Schema.String })
const responseOf = ({ text }: Answer) => Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(Response))(text))
const responsesOf = ({ text }: Answer) =>
  Effect.orDie(Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Response)))(text))

const once = (venom: Service, key: string) =>
  venom.ask({
    method: "POST",
    path: "/api/v1/tasks",
    headers: { ...json, "idempotency-key": key },
    body: JSON.stringify({ content: key })
  })

const act = (venom: Service, path: string, body?: unknown) =>
  venom.ask({
    method: "POST",
    path: `/api/v1/tasks/${path}`,
    ...(body === undefined ? {} : { headers: json, body: JSON.stringify(body) })
  })

describe("an idempotency key", { concurrent: true }, () => {
  it.live(
    "makes one task, however often it is sent and whenever the process is killed",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const acknowledged = new Map<string, string>()
        const send = Effect.fnUntraced(function* (venom: Service, key: string) {
          const answer = yield* once(venom, key)
          if (answer.status !== 201) return
          const { task_id } = yield* responseOf(answer)
          assert.strictEqual(acknowledged.get(key) ?? task_id, task_id)
          acknowledged.set(key, task_id)
        })
        const keys = range(400).map((n) => `key-${n}`)
        for (let kill = 0; kill < 6; kill++) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const venom = yield* serve(data, instantly)
              const before = acknowledged.size
              const enough = yield* Random.nextIntBetween(1, 60)
              // each key thrice, at about the same time, the known ones among them
              const clients = yield* Effect.forkChild(
                Effect.forEach(
                  keys.slice(0, 60 * (kill + 1)).flatMap((key) => [key, key, key]),
                  (key) => Effect.exit(send(venom, key)),
                  { concurrency: 30 }
                )
              )
              yield* until(
                "some answers",
                Effect.sync(() => acknowledged.size),
                (size) => size >= before + enough
              )
              yield* venom.kill
              for (const exit of yield* Fiber.join(clients)) assert.isFalse(Exit.hasDies(exit), `${exit}`)
            })
          )
        }
        const venom = yield* serve(data, instantly)
        for (const key of keys) yield* send(venom, key)
        const tasks = yield* venom.settled
        assert.deepStrictEqual(tasks.map(({ content }) => content).toSorted(), keys.toSorted(), "one task for each key")
        assert.deepStrictEqual(new Set(tasks.map(({ id }) => id)), new Set(acknowledged.values()))
        const replayed = yield* once(venom, keys[0] ?? "")
        assert.strictEqual(replayed.headers["idempotency-replayed"], "true")
        assert.strictEqual((yield* venom.stop).code, 0)
        // and after an orderly stop, from the dump
        const again = yield* serve(data, instantly)
        for (const key of keys.slice(0, 20)) yield* send(again, key)
      }),
    120_000
  )
})

describe("a bulk submit", { concurrent: true }, () => {
  it.live("is there whole or not at all after kill -9", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const acknowledged = new Set<string>()
      const bulk = Effect.fnUntraced(function* (venom: Service, type: string) {
        const answer = yield* act(venom, "bulk", { tasks: range(100).map((n) => ({ content: `${n}`, type })) })
        assert.strictEqual((yield* responsesOf(answer)).length, 100)
        acknowledged.add(type)
      })
      const venom = yield* serve(data, forever)
      const clients = yield* Effect.forkChild(
        Effect.forEach(range(200), (n) => Effect.exit(bulk(venom, `t${n}`)), { concurrency: 8 })
      )
      yield* until(
        "some bulks",
        Effect.sync(() => acknowledged.size),
        (size) => size >= 20
      )
      yield* venom.kill
      yield* Fiber.join(clients)
      const again = yield* serve(data, forever)
      const counts = new Map<string, number>()
      for (const { type } of yield* again.list) counts.set(type, (counts.get(type) ?? 0) + 1)
      assert.deepStrictEqual(new Set(counts.values()), new Set([100]))
      for (const type of acknowledged) assert.strictEqual(counts.get(type), 100)
    })
  )
})

describe("a task that is cancelled", { concurrent: true }, () => {
  it.live("has nothing of it running when the answer comes, and stays cancelled after kill -9", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const pids = `${data}/pids`
      const command = `sh -c 'sleep 1000 & echo $$ $! >> ${pids}; wait'`
      const settings = { VENOM_RUNNER: "command", VENOM_COMMAND: command }
      const venom = yield* serve(data, settings)
      const ids = [
        yield* venom.submit("one"),
        yield* venom.submit("two", { type: "b" }),
        yield* venom.submit("three", { type: "b" })
      ]
      const running = yield* until(
        "three processes and their children",
        Effect.sync(() =>
          existsSync(pids) ? readFileSync(pids, "utf8").split(/\s+/).filter(Boolean).map(Number) : []
        ),
        ({ length }) => length === 6
      )
      assert.lengthOf(yield* Effect.filter(running, isRunning), 6)
      const cancelled = yield* act(venom, `${ids[0] ?? ""}/cancel`)
      assert.strictEqual(cancelled.status, 200)
      assert.lengthOf(yield* Effect.filter(running, isRunning), 4)
      assert.strictEqual(
        (yield* act(venom, "actions/cancel", { type: "b", expected: 2 })).text,
        `{"matched":2,"changed":2,"skipped":0}`
      )
      assert.lengthOf(yield* Effect.filter(running, isRunning), 0)
      assert.strictEqual((yield* act(venom, `${ids[0] ?? ""}/cancel`)).status, 409)
      yield* venom.kill
      const again = yield* serve(data, settings)
      for (const id of ids) assert.strictEqual((yield* again.get(id)).failure?.reason, "cancelled")
    })
  )
})

describe("a task that is deleted", { concurrent: true }, () => {
  it.live("stays so after kill -9, and the others are there", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, instantly)
      const ids = yield* Effect.forEach(range(20), (n) => venom.submit(`${n}`, { type: n < 10 ? "a" : "b" }))
      yield* venom.settled
      const first = yield* venom.ask({ method: "DELETE", path: `/api/v1/tasks/${ids[0] ?? ""}` })
      assert.strictEqual(first.status, 204)
      assert.strictEqual((yield* act(venom, "actions/delete", { type: "a", expected: 10 })).status, 409)
      assert.strictEqual((yield* act(venom, "actions/delete", { type: "a", expected: 9 })).status, 200)
      yield* venom.kill
      const again = yield* serve(data, instantly)
      assert.deepStrictEqual((yield* again.list).map(({ id }) => id).toSorted(), ids.slice(10).toSorted())
    })
  )
})
