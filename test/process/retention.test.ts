import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { directory, isOnPostgres, launch, serve, type Service, until } from "./support/Service.ts"

const atOnce = { VENOM_SIMULATED_DURATION: "0 seconds" }
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

const submitMany = (venom: Service, count: number) =>
  Effect.forEach(numbers(count), (n) => venom.submit(`task ${n}`), { concurrency: 16 })

const gone = (venom: Service, id: string) =>
  until(`the end of ${id}`, venom.ask({ path: `/api/v1/tasks/${id}` }), ({ status }) => status === 404)

const removals = (data: string) =>
  readdirSync(data)
    .filter((name) => name.startsWith("journal"))
    .flatMap((name) => readFileSync(`${data}/${name}`, "utf8").split("\n"))
    .filter((line) => line.includes('"removed":'))

describe("retention", () => {
  it.live("deletes finished tasks when their time is over, for good, and leaves the others", () =>
    Effect.gen(function* () {
      const data = yield* directory
      // the journal alone has the removals
      const settings = { ...atOnce, VENOM_RETENTION: "2 seconds", VENOM_DUMP_INTERVAL: "1 hour" }
      const venom = yield* serve(data, settings)
      const later = yield* venom.submit("later", { run_at: "2999-01-01T00:00:00.000Z" })
      const ids = yield* submitMany(venom, 200)
      yield* Effect.forEach(ids, (id) => gone(venom, id), { discard: true })
      assert.deepStrictEqual(
        (yield* venom.list).map(({ id }) => id),
        [later]
      )
      if (!isOnPostgres) assert.isAbove(removals(data).length, 0)
      yield* venom.kill

      const again = yield* serve(data, { ...settings, VENOM_RETENTION: "forever" })
      assert.deepStrictEqual(
        (yield* again.list).map(({ id }) => id),
        [later]
      )
      if (!isOnPostgres) assert.match(`${(yield* again.heard(/^Recovered/))["message"]}`, /^Recovered 1 tasks/)
      assert.notInclude(again.stderr(), "Damage")
    })
  )

  it.live("keeps so many of the finished tasks, those that finished last", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, { ...atOnce, VENOM_RETENTION_COUNT: "20" })
      const first = yield* submitMany(venom, 100)
      yield* until("20 to be left", venom.list, (tasks) => tasks.length === 20)
      const last = yield* submitMany(venom, 20)
      yield* Effect.forEach(first, (id) => gone(venom, id), { discard: true })
      const listed = (yield* venom.settled).map(({ id }) => id)
      assert.deepStrictEqual(listed.toSorted(), last.toSorted())
      yield* venom.stop
      const again = yield* serve(data, { ...atOnce, VENOM_RETENTION_COUNT: "20" })
      assert.deepStrictEqual((yield* again.list).map(({ id }) => id).toSorted(), last.toSorted())
    })
  )

  it.live("of what is too old at the start nothing is left soon after, killed in the middle or not", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const first = yield* serve(data, { ...atOnce, VENOM_RETENTION: "forever", VENOM_CONCURRENCY: "500" })
      yield* submitMany(first, 1500)
      yield* first.settled
      yield* first.stop
      const settings = { ...atOnce, VENOM_RETENTION: "1 second", VENOM_DUMP_INTERVAL: "1 hour" }
      const pruning = yield* serve(data, settings)
      const removed = isOnPostgres
        ? Effect.map(pruning.list, (left) => 1500 - left.length)
        : Effect.sync(() => removals(data).length)
      yield* until("the first removal", removed, (count) => count > 0)
      yield* pruning.kill
      const again = yield* serve(data, settings)
      yield* until("none to be left", again.list, (tasks) => tasks.length === 0)
      assert.notInclude(again.stderr(), "Damage")
    })
  )

  it.live("of no time at all is refused", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* launch(data, { VENOM_RETENTION: "0 seconds" })
      const { code, stderr } = yield* venom.ended
      assert.strictEqual(code, 2)
      assert.match(stderr, /VENOM_RETENTION "0 seconds": expected a duration .* or forever/)
    })
  )
})
