import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { change, contentsOf, namesIn, write } from "./support/Files.ts"
import { directory, serve } from "./support/Service.ts"
import { dumpOf, type Task } from "./support/Wire.ts"
import { run } from "./venom.ts"

/** A directory that a killed service has left, with this many completed tasks. */
const left = Effect.fnUntraced(function* (tasks: number) {
  const path = join(yield* directory, "data")
  const venom = yield* serve(path, { VENOM_SIMULATED_DURATION: "0 seconds", VENOM_DUMP_INTERVAL: "10 millis" })
  yield* Effect.forEach(Array.from({ length: tasks }), (_, n) => venom.submit(`task ${n}`))
  yield* venom.settled
  yield* venom.stop
  return path
})

const venom = (...args: ReadonlyArray<string>) => Effect.promise(() => run(args))
const doctor = (path: string, ...args: ReadonlyArray<string>) => venom("doctor", "--data-dir", path, ...args)

/** Damages one task in the dump and makes the previous dump useless. */
const beyondRecovery = Effect.fnUntraced(function* (path: string) {
  yield* change(join(path, "state_dump.json"), (bytes) => bytes.toString().replace('"content":"task 3"', '"content":7'))
  yield* write(join(path, "state_dump.prev.json"), "gone")
})

const live = { timeout: 60_000 }

it.live(
  "the doctor finds a whole directory whole, changes nothing and exits 0",
  () =>
    Effect.gen(function* () {
      const path = yield* left(6)
      const before = yield* contentsOf(path)
      const { code, stdout } = yield* doctor(path)
      assert.strictEqual(code, 0, stdout)
      assert.include(stdout, "6 tasks (6 COMPLETED)")
      assert.deepStrictEqual(yield* contentsOf(path), before)
    }),
  live
)

it.live(
  "the doctor counts what is kept beside the tasks, and a dump prints it",
  () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "data")
      const service = yield* serve(path, { VENOM_SIMULATED_DURATION: "0 seconds" })
      const write = (method: string, to: string, body: object, more = {}) =>
        service.ask({
          method,
          path: `/api/v1${to}`,
          headers: { "content-type": "application/json", ...more },
          body: JSON.stringify(body)
        })
      yield* write("PUT", "/schedules/nightly", { cron: "0 3 * * *", task: { content: "x" } })
      yield* write("POST", "/tasks", { content: "once" }, { "idempotency-key": "k-1" })
      yield* write("POST", "/queue/pause", { type: "mail" })
      yield* service.kill
      const { code, stdout } = yield* doctor(path)
      assert.strictEqual(code, 0, stdout)
      assert.include(stdout, "3 entries (1 flow, 1 idempotency, 1 schedule)")
      const dumped = yield* venom("dump", "--data-dir", path)
      for (const name of ["schedule/nightly", "idempotency/k-1", "flow"])
        assert.include(dumped.stdout, `{"name":"${name}","value":`)
    }),
  live
)

it.live(
  "a refused start is explained by the doctor and mended by its repair, which keeps all that can be read",
  () =>
    Effect.gen(function* () {
      const path = yield* left(6)
      yield* beyondRecovery(path)
      const before = yield* contentsOf(path)

      const refused = yield* venom("serve", "--port", "0", "--data-dir", path)
      assert.strictEqual(refused.code, 3)
      assert.include(refused.stderr, "venom doctor")

      const examined = yield* doctor(path)
      assert.strictEqual(examined.code, 1)
      assert.include(examined.stdout, "state_dump.json")
      assert.include(examined.stdout, "5 tasks")
      assert.deepStrictEqual(yield* contentsOf(path), before)

      const repaired = yield* doctor(path, "--repair")
      assert.strictEqual(repaired.code, 0, repaired.stderr)
      assert.includeMembers([...(yield* namesIn(path))], ["state_dump.json.bad", "state_dump.prev.json.bad"])

      const again = yield* serve(path)
      const contents = (yield* again.list).map(({ content }) => content).sort()
      assert.deepStrictEqual(contents, ["task 0", "task 1", "task 2", "task 4", "task 5"])
    }),
  live
)

it.live(
  "the doctor repairs nothing that a service holds",
  () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "data")
      yield* serve(path)
      const { code, stderr } = yield* doctor(path, "--repair")
      assert.strictEqual(code, 3)
      assert.include(stderr, "in use")
    }),
  live
)

it.live(
  "a dump is the whole state as JSON, also of a service that runs",
  () =>
    Effect.gen(function* () {
      const path = join(yield* directory, "data")
      const service = yield* serve(path, { VENOM_SIMULATED_DURATION: "0 seconds" })
      yield* Effect.forEach(Array.from({ length: 20 }), (_, n) => service.submit(`task ${n}`))
      yield* service.settled
      const paused = yield* service.ask({ method: "POST", path: "/api/v1/queue/pause" })
      assert.strictEqual(paused.status, 200)
      const { code, stdout } = yield* venom("dump", "--data-dir", path)
      assert.strictEqual(code, 0)
      const live = yield* service.list
      const dumped = yield* dumpOf(stdout)
      const facts = (tasks: ReadonlyArray<Task>) =>
        tasks.map(({ content, id, status }) => `${id} ${status} ${content}`).sort()
      assert.deepStrictEqual(facts(dumped), facts(live))
      // all of it: what is printed is a dump that a service begins with
      const copy = yield* directory
      yield* write(join(copy, "state_dump.json"), stdout)
      const next = yield* serve(copy)
      assert.deepStrictEqual(yield* next.list, live)
      const queue = yield* next.ask({ path: "/api/v1/queue" })
      assert.include(JSON.parse(queue.text), { paused: true })
    }),
  live
)

it.live(
  "a directory that is not there is named, with exit code 3",
  () =>
    Effect.gen(function* () {
      const path = join(yield* Effect.promise(() => mkdtemp(join(tmpdir(), "venom-"))), "none")
      const { code, stderr } = yield* doctor(path)
      assert.strictEqual(code, 3)
      assert.include(stderr, path)
    }),
  live
)
