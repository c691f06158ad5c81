import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { command, contentsOf, journalsIn, namesIn, write, untilThere } from "./support/Files.ts"
import { mayMount, mounted } from "./support/Mount.ts"
import { directory, serve, type Service, until } from "./support/Service.ts"
import { problemIn, submittedIn } from "./support/Wire.ts"

const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }

/** What its disk does is in the hands of the test. */
const failingDisk = (orders: string) => ({
  NODE_OPTIONS: `--import=${fileURLToPath(new URL("support/failingDisk.mjs", import.meta.url))}`,
  FAILING_DISK: orders
})

/** POST is refused and says when to ask again, readiness says why, all else goes on. */
const isOut = Effect.fnUntraced(function* (venom: Service, why: RegExp) {
  const refused = yield* venom.post({ content: "refused" })
  yield* problemIn(refused, 503)
  assert.match(`${refused.headers["retry-after"]}`, /^\d+$/)
  assert.match((yield* problemIn(yield* venom.ready, 503)).detail, why)
  assert.strictEqual((yield* venom.ask({ path: "/health/live" })).status, 200)
})

const outages = [
  { what: "an fsync that fails three times", order: { syncs: 3 }, why: /not writable.*EIO/ },
  { what: "a write that fails three times", order: { writes: 3 }, why: /not writable.*EIO/ },
  { what: "a disk that becomes read-only", order: { readOnly: true }, why: /not writable.*EROFS/ }
]

describe("after", { concurrent: true }, () => {
  for (const { order, what, why } of outages) {
    it.live(
      `${what} nothing is taken that could be lost, reading goes on, and storage comes back with every result`,
      () =>
        Effect.gen(function* () {
          const place = yield* directory
          const data = join(place, "data")
          const orders = join(place, "orders")
          const gate = join(place, "open")
          const venom = yield* serve(data, {
            ...failingDisk(orders),
            VENOM_RUNNER: "command",
            VENOM_COMMAND: `sh -c '${untilThere(gate)}; cat'`,
            VENOM_CONCURRENCY: "3"
          })
          const ids = yield* Effect.forEach(Array.from({ length: 6 }), (_, n) => venom.submit(`task ${n}`))
          for (const id of ids.slice(0, 3)) yield* venom.reaches(id, "PROCESSING")
          const journals = yield* journalsIn(data)

          yield* write(orders, JSON.stringify(order))
          yield* isOut(venom, why)
          yield* write(gate, "")
          yield* venom.heard(/The verdict waits for storage/)
          const during = yield* venom.list
          assert.sameMembers(
            during.map(({ id }) => id),
            ids
          )
          assert.isTrue(during.every(({ status }) => status === "PENDING" || status === "PROCESSING"))
          if (order.readOnly) {
            // each way back fails as the first did
            yield* isOut(venom, why)
            yield* write(orders, "{ }")
          }

          yield* until("storage", venom.ready, ({ status }) => status === 200)
          // what was trusted before is not written to any more
          assert.notInclude([...journals], (yield* journalsIn(data)).at(-1))
          const accepted = yield* venom.post({ content: "after" })
          ids.push(yield* submittedIn(accepted))
          const all = yield* venom.settled
          assert.sameMembers(
            all.map(({ id }) => id),
            ids
          )
          for (const task of all) assert.include(task, { status: "COMPLETED", attempt: 1, result: task.content })
          yield* venom.kill
          const next = yield* serve(data, instantly)
          assert.deepStrictEqual(yield* next.list, all)
          assert.deepStrictEqual(
            next.log().filter(({ level }) => level !== "info"),
            []
          )
        })
    )
  }
})

describe("a disk that takes a part of what it is given", { concurrent: true }, () => {
  it.live("is given the rest: all is answered, nothing is told, and a kill -9 leaves it whole", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const data = join(place, "data")
      const orders = join(place, "orders")
      yield* write(orders, JSON.stringify({ short: true }))
      const venom = yield* serve(data, { ...failingDisk(orders), ...instantly, VENOM_DUMP_INTERVAL: "50 millis" })
      const ids = yield* Effect.forEach(Array.from({ length: 40 }), (_, n) =>
        venom.submit(`${n} ${"€".repeat(n * 50)}`)
      )
      const all = yield* venom.settled
      assert.sameMembers(
        all.map(({ id }) => id),
        ids
      )
      yield* venom.kill
      const next = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* next.list, all)
      for (const { log } of [venom, next]) {
        assert.deepStrictEqual(
          log().filter(({ level }) => level !== "info"),
          []
        )
      }
    })
  )
})

describe("a start on a file system that is read-only", () => {
  beforeEach(mayMount)

  it.live("serves what is there, changes nothing, and goes on with it when it can be written again", () =>
    Effect.gen(function* () {
      const data = yield* directory
      yield* mounted(data, "size=4m")
      const remount = (how: "ro" | "rw") =>
        until(`it to be ${how}`, command("mount", "-o", `remount,${how}`, data), (done) => done)
      const settings = { VENOM_SIMULATED_DURATION: "1 hour", VENOM_CONCURRENCY: "1" }
      const first = yield* serve(data, settings)
      const ids = yield* Effect.forEach(Array.from({ length: 5 }), (_, n) => first.submit(`task ${n}`))
      yield* first.reaches(ids[0] ?? "", "PROCESSING")
      const before = yield* first.list
      yield* first.kill
      const files = yield* contentsOf(data)

      yield* remount("ro")
      const venom = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* venom.list, before)
      yield* isOut(venom, /not writable.*EROFS/)
      assert.deepStrictEqual(yield* contentsOf(data), files)

      yield* remount("rw")
      yield* until("storage", venom.ready, ({ status }) => status === 200)
      const all = yield* venom.settled
      assert.sameMembers(
        all.map(({ attempt, id }) => `${id} ${attempt}`),
        ids.map((id, n) => `${id} ${n === 0 ? 2 : 1}`)
      )
      yield* until("the lock", namesIn(data), (names) => names.includes("venom.lock"))
      assert.strictEqual((yield* venom.stop).code, 0)
      const next = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* next.list, all)
    })
  )
})
