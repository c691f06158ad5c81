import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import {
  change,
  command,
  contentsOf,
  journalsIn,
  modifiedAt,
  namesIn,
  read,
  write,
  untilThere
} from "./support/Files.ts"
import { mayMount, mounted } from "./support/Mount.ts"
import { directory, launch, serve, until } from "./support/Service.ts"
import { dumpOf, problemIn, submittedIn } from "./support/Wire.ts"

const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }
/** Again, where the service has put a new file into it meanwhile. */
const remove = (path: string) => Effect.promise(() => rm(path, { recursive: true, maxRetries: 10 }))

describe("a full disk", { concurrent: true }, () => {
  beforeEach(mayMount)

  it.live(
    "is told by 503, reading goes on, and when there is room again the service recovers by itself with every task",
    () =>
      Effect.gen(function* () {
        const disk = yield* directory
        yield* mounted(disk, "size=2m")
        const data = join(disk, "data")
        const venom = yield* serve(data, { VENOM_SIMULATED_DURATION: "20 millis", VENOM_DUMP_INTERVAL: "100 millis" })
        const ballast = join(disk, "ballast")
        yield* write(ballast, Buffer.alloc(1_600_000))

        const taken = new Map<string, string>()
        const fill = Effect.gen(function* () {
          const content = `${taken.size} ${"x".repeat(8000)}`
          const answer = yield* venom.post({ content })
          if (answer.status === 201) taken.set(yield* submittedIn(answer), content)
          return answer
        })
        const refused = yield* until("the disk to be full", fill, ({ status }) => status !== 201)
        const problem = yield* problemIn(refused, 503)
        assert.match(`${refused.headers["retry-after"]}`, /^\d+$/)
        assert.notMatch(problem.detail, /ENOSPC|\//)
        assert.isAbove(taken.size, 3)

        const unready = yield* problemIn(yield* venom.ready, 503)
        assert.match(unready.detail, /not writable.*disk space/)
        assert.strictEqual((yield* venom.ask({ path: "/health/live" })).status, 200)
        const during = yield* venom.list
        assert.sameMembers(
          during.map(({ id }) => id),
          [...taken.keys()]
        )
        for (const [id, content] of taken) assert.strictEqual((yield* venom.get(id)).content, content)

        yield* remove(ballast)
        const accepted = yield* until(
          "room to be noticed",
          venom.post({ content: "after" }),
          ({ status }) => status === 201
        )
        taken.set(yield* submittedIn(accepted), "after")
        assert.strictEqual((yield* venom.ready).status, 200)
        const settled = yield* venom.settled
        assert.isTrue(settled.every(({ attempt, status }) => status === "COMPLETED" && attempt === 1))
        yield* venom.kill
        const next = yield* serve(data, instantly)
        assert.deepStrictEqual(yield* next.list, settled)
        for (const { content, id } of settled) assert.strictEqual(content, taken.get(id))
        assert.strictEqual(settled.length, taken.size)
      }),
    120_000
  )

  for (const how of ["kill -9", "SIGTERM"] as const) {
    it.live(
      `loses nothing to ${how} and a start: what was acknowledged is there as soon as there is room`,
      () =>
        Effect.gen(function* () {
          const disk = yield* directory
          yield* mounted(disk, "size=2m")
          const data = join(disk, "data")
          const venom = yield* serve(data, { VENOM_SIMULATED_DURATION: "1 second", VENOM_SHUTDOWN_GRACE: "2 seconds" })
          const ballast = join(disk, "ballast")
          yield* write(ballast, Buffer.alloc(1_600_000))
          const taken: Array<string> = []
          yield* until(
            "the disk to be full",
            Effect.tap(venom.post({ content: "x".repeat(8000) }), (answer) =>
              answer.status === 201 ? Effect.map(submittedIn(answer), (id) => taken.push(id)) : Effect.void
            ),
            ({ status }) => status === 503
          )
          if (how === "kill -9") yield* venom.kill
          else assert.strictEqual((yield* venom.stop).code, 0)
          const full = yield* serve(data, instantly)
          assert.sameMembers(
            (yield* full.list).map(({ id }) => id),
            taken
          )
          yield* full.kill
          yield* remove(ballast)
          const next = yield* serve(data, instantly)
          const all = yield* next.settled
          assert.sameMembers(
            all.map(({ id }) => id),
            taken
          )
          assert.isTrue(all.every(({ status }) => status === "COMPLETED"))
        }),
      120_000
    )
  }
})

describe("a disk with little room", { concurrent: true }, () => {
  beforeEach(mayMount)

  it.live("that could not hold another dump takes no new tasks; those it has are finished, and it is not filled", () =>
    Effect.gen(function* () {
      const disk = yield* directory
      yield* mounted(disk, "size=4m")
      const data = join(disk, "data")
      const file = join(yield* directory, "open")
      const venom = yield* serve(data, {
        VENOM_RUNNER: "command",
        VENOM_COMMAND: `sh -c '${untilThere(file)}; echo done'`,
        VENOM_DUMP_INTERVAL: "10 millis",
        VENOM_CONCURRENCY: "3"
      })
      const ids = yield* Effect.forEach(Array.from({ length: 10 }), () => venom.submit("x".repeat(100_000)))
      const dump = Effect.map(read(join(data, "state_dump.json")), (bytes) => bytes.toString())
      yield* until("all to be in the dump", dump, (text) => text.split(`"PROCESSING"`).length === 4)
      const ballast = join(disk, "ballast")
      yield* until("little to be left", command("dd", "if=/dev/zero", "bs=4k", `of=${ballast}`), () => true)
      yield* change(ballast, (bytes) => bytes.subarray(0, -300_000))

      const refused = yield* until("it to be noticed", venom.post({ content: "small" }), ({ status }) => status === 503)
      assert.match((yield* problemIn(refused, 503)).detail, /disk space/)
      assert.match(`${refused.headers["retry-after"]}`, /^\d+$/)
      assert.match((yield* problemIn(yield* venom.ready, 503)).detail, /not writable for new tasks.*disk space/)
      const before = yield* modifiedAt(data)
      yield* write(file, "")
      for (const id of ids) assert.strictEqual((yield* venom.reaches(id, "COMPLETED")).result, "done")
      yield* venom.heard(/No dump could be written.*less room/)
      // each attempt would make a file and take it away again
      assert.strictEqual(yield* modifiedAt(data), before)
      assert.lengthOf(
        venom.log().filter(({ message }) => /No dump/.test(`${message}`)),
        1
      )
      yield* remove(ballast)
      yield* until("room to be noticed", venom.ready, ({ status }) => status === 200)
      yield* venom.submit("fits")
      yield* until("the dump", dump, (text) => text.includes(`"fits"`))
    })
  )

  it.live(
    "that somebody else fills to the last byte is told by the first write, and nothing begins until it has room",
    () =>
      Effect.gen(function* () {
        const disk = yield* directory
        yield* mounted(disk, "size=2m")
        const venom = yield* serve(join(disk, "data"), instantly)
        yield* venom.reaches(yield* venom.submit("before"), "COMPLETED")
        const ballast = join(disk, "ballast")
        yield* command("dd", "if=/dev/zero", "bs=4k", `of=${ballast}`)
        yield* problemIn(yield* venom.post({ content: "x".repeat(8000) }), 503)
        assert.match((yield* problemIn(yield* venom.ready, 503)).detail, /not writable.*ENOSPC/)
        yield* remove(ballast)
        yield* until("room to be noticed", venom.ready, ({ status }) => status === 200)
        yield* venom.reaches(yield* venom.submit("after"), "COMPLETED")
        assert.lengthOf(yield* venom.list, 2)
      })
  )

  it.live("lets a start on its state go on: it can be read, nothing is lost, and it recovers by itself", () =>
    Effect.gen(function* () {
      const disk = yield* directory
      yield* mounted(disk, "size=2m")
      const data = join(disk, "data")
      const settings = { VENOM_DUMP_INTERVAL: "1 hour", VENOM_SIMULATED_DURATION: "1 hour", VENOM_CONCURRENCY: "2" }
      const first = yield* serve(data, settings)
      const ids = yield* Effect.forEach(Array.from({ length: 10 }), (_, n) =>
        first.submit(`${n} ${"x".repeat(60_000)}`)
      )
      yield* first.reaches(ids[0] ?? "", "PROCESSING")
      yield* first.reaches(ids[1] ?? "", "PROCESSING")
      const before = yield* first.list
      yield* first.kill
      // a crash while a record was written
      const journal = (yield* journalsIn(data)).at(-1) ?? ""
      yield* change(journal, (bytes) => Buffer.concat([bytes, Buffer.from(`1234abcd {"seq":`)]))
      const left = yield* contentsOf(data)
      const ballast = join(disk, "ballast")
      yield* command("dd", "if=/dev/zero", "bs=4k", `of=${ballast}`)

      const venom = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* venom.list, before)
      const refused = yield* venom.post({ content: "new" })
      yield* problemIn(refused, 503)
      assert.match(`${refused.headers["retry-after"]}`, /^\d+$/)
      assert.match((yield* problemIn(yield* venom.ready, 503)).detail, /not writable.*ENOSPC/)
      assert.strictEqual((yield* venom.ask({ path: "/health/live" })).status, 200)
      // a second one is kept out though nobody could write the lock
      assert.strictEqual((yield* (yield* launch(data)).ended).code, 3)
      const after = yield* contentsOf(data)
      for (const [name, bytes] of left) if (name !== "venom.lock") assert.strictEqual(after.get(name), bytes, name)

      yield* remove(ballast)
      yield* until("room to be noticed", venom.ready, ({ status }) => status === 200)
      const bad = (yield* namesIn(data)).filter((name) => name.endsWith(".bad"))
      assert.lengthOf(bad, 1)
      assert.strictEqual((yield* read(join(data, `${bad[0]}`))).toString(), `1234abcd {"seq":`)
      yield* until("the lock", namesIn(data), (names) => names.includes("venom.lock"))
      ids.push(yield* venom.submit("after"))
      const all = yield* venom.settled
      assert.sameMembers(
        all.map(({ id }) => id),
        ids
      )
      for (const task of all) assert.include(task, { status: "COMPLETED" })
      yield* venom.kill
      const next = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* next.list, all)
    })
  )

  it.live("or none does not keep a start on it from being stopped in order, and leaves all as it was", () =>
    Effect.gen(function* () {
      const disk = yield* directory
      yield* mounted(disk, "size=1m")
      const data = join(disk, "data")
      const first = yield* serve(data, { ...instantly, VENOM_DUMP_INTERVAL: "1 hour" })
      yield* first.reaches(yield* first.submit("x".repeat(10_000)), "COMPLETED")
      const before = yield* first.list
      yield* first.kill
      const ballast = join(disk, "ballast")
      yield* command("dd", "if=/dev/zero", "bs=4k", `of=${ballast}`)
      const second = yield* serve(data, instantly)
      assert.strictEqual((yield* second.stop).code, 0)
      yield* remove(ballast)
      const third = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* third.list, before)
    })
  )
})

describe("a data directory that is deleted under the running service", { concurrent: true }, () => {
  it.live("is noticed: POST is answered with 503, then it is made anew with all tasks, and held as before", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const venom = yield* serve(data, { VENOM_SIMULATED_DURATION: "50 millis" })
      const ids = yield* Effect.forEach(Array.from({ length: 20 }), (_, n) => venom.submit(`before ${n}`))
      yield* venom.settled
      yield* remove(data)
      const answer = yield* venom.post({ content: "into nothing" })
      yield* problemIn(answer, 503)
      assert.match(`${answer.headers["retry-after"]}`, /^\d+$/)
      yield* problemIn(yield* venom.ready, 503)
      assert.lengthOf(yield* venom.list, 20)

      const accepted = yield* until("its return", venom.post({ content: "after" }), ({ status }) => status === 201)
      ids.push(yield* submittedIn(accepted))
      assert.strictEqual((yield* venom.ready).status, 200)
      const all = yield* venom.settled
      assert.sameMembers(
        all.map(({ id }) => id),
        ids
      )
      const second = yield* launch(data)
      assert.strictEqual((yield* second.ended).code, 3)
      assert.include(yield* namesIn(data), "venom.lock")
      yield* venom.kill
      const next = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* next.list, all)
    })
  )

  it.live("while tasks are under way loses none of them", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const venom = yield* serve(data, { VENOM_SIMULATED_DURATION: "500 millis", VENOM_CONCURRENCY: "4" })
      const ids = yield* Effect.forEach(Array.from({ length: 12 }), (_, n) => venom.submit(`task ${n}`))
      yield* venom.reaches(ids[0] ?? "", "PROCESSING")
      yield* remove(data)
      const all = yield* venom.settled
      assert.sameMembers(
        all.map(({ id }) => id),
        ids
      )
      assert.isTrue(all.every(({ attempt, status }) => status === "COMPLETED" && attempt === 1))
      assert.strictEqual((yield* venom.stop).code, 0)
      const bytes = yield* read(join(data, "state_dump.json"))
      assert.sameDeepMembers([...(yield* dumpOf(bytes.toString()))], [...all])
    })
  )
})

describe("a service that holds VENOM_MAX_PENDING unfinished tasks", { concurrent: true }, () => {
  it.live("answers 503 with Retry-After until one is finished, and is ready all the same", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, {
        VENOM_MAX_PENDING: "3",
        VENOM_CONCURRENCY: "1",
        VENOM_SIMULATED_DURATION: "1500 millis"
      })
      const ids = yield* Effect.forEach(Array.from({ length: 3 }), () => venom.submit("x"))
      const refused = yield* venom.post({ content: "one too many" })
      yield* problemIn(refused, 503)
      assert.match(`${refused.headers["retry-after"]}`, /^\d+$/)
      assert.lengthOf(yield* venom.list, 3)
      yield* venom.reaches(ids[0] ?? "", "COMPLETED")
      yield* venom.submit("fits")
    })
  )
})
