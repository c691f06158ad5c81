import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmod, symlink } from "node:fs/promises"
import { join } from "node:path"
import { command, isRunning, modeOf, namesIn, read, write, untilThere } from "./support/Files.ts"
import { mayMount, mounted } from "./support/Mount.ts"
import { directory, launch, type Process, serve, until } from "./support/Service.ts"
import { dumpOf } from "./support/Wire.ts"

const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }

/** Ends with 3 and one line that says why. */
const refusal = Effect.fnUntraced(function* (venom: Process) {
  const { code, stdout } = yield* venom.ended
  assert.deepStrictEqual({ code, stdout }, { code: 3, stdout: "" }, venom.stderr())
  const told = venom.log().filter(({ level }) => level === "fatal" || level === "error")
  assert.lengthOf(told, 1)
  assert.notProperty(told[0], "cause")
  return `${told[0]?.["message"]}`
})

describe("a data directory in use", { concurrent: true }, () => {
  it.live("is refused to a second process, which names the holder; the first one is not disturbed", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const first = yield* serve(data, instantly)
      const id = yield* first.submit("x")
      yield* first.reaches(id, "COMPLETED")
      const lock = yield* read(join(data, "venom.lock"))
      assert.include(yield* refusal(yield* launch(data)), `${first.pid}`)
      assert.deepStrictEqual(yield* read(join(data, "venom.lock")), lock)
      yield* first.reaches(yield* first.submit("y"), "COMPLETED")
      yield* first.stop
      const next = yield* serve(data, instantly)
      assert.lengthOf(yield* next.list, 2)
    })
  )

  it.live("is refused by another path too: a symbolic link, dots, a relative one", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const data = join(place, "data")
      const first = yield* serve(data, instantly)
      yield* Effect.promise(() => symlink(data, join(place, "link")))
      for (const path of [join(place, "link"), `${place}/../${place.split("/").at(-1)}/./data/`]) {
        assert.include(yield* refusal(yield* launch(path)), `${first.pid}`)
      }
    })
  )

  it.live("goes to one of three that are started at once", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const all = yield* Effect.forEach(Array.from({ length: 3 }), () => launch(data, instantly))
      const ends = yield* Effect.forEach(
        all,
        (venom) =>
          Effect.raceFirst(
            Effect.as(venom.heard(/^Venom .* serves/), "serves"),
            Effect.map(venom.ended, ({ code }) => `ended with ${code}`)
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(ends.toSorted(), ["ended with 3", "ended with 3", "serves"])
    })
  )

  it.live("is free again after kill -9, and after a stop, when the lock is gone", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const first = yield* serve(data)
      yield* first.kill
      assert.include(yield* namesIn(data), "venom.lock")
      const second = yield* serve(data)
      assert.include((yield* read(join(data, "venom.lock"))).toString(), `${second.pid}`)
      yield* second.stop
      assert.notInclude(yield* namesIn(data), "venom.lock")
      yield* serve(data)
    })
  )

  it.live("is not held by a lock that names a living process which is not Venom, nor by one that is garbage", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const first = yield* serve(data)
      yield* first.kill
      const lock = (yield* read(join(data, "venom.lock"))).toString()
      // the number of the dead process has been given to another one
      yield* write(join(data, "venom.lock"), lock.replace(`${first.pid}`, `${process.pid}`))
      yield* Effect.scoped(serve(data))
      yield* write(join(data, "venom.lock"), "garbage")
      yield* Effect.scoped(serve(data))
      yield* write(join(data, "venom.lock"), "")
      yield* serve(data)
    })
  )
})

describe("a data directory that cannot be used is refused with 3 and a clear line:", { concurrent: true }, () => {
  it.live("a file in its place, and a file above it", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const file = join(place, "file")
      yield* write(file, "mine")
      assert.include(yield* refusal(yield* launch(file)), file)
      assert.include(yield* refusal(yield* launch(join(file, "data"))), join(file, "data"))
      assert.strictEqual((yield* read(file)).toString(), "mine")
    })
  )

  it.live("a device, and a place where nothing can be made", () =>
    Effect.gen(function* () {
      assert.include(yield* refusal(yield* launch("/dev/null")), "/dev/null")
      assert.include(yield* refusal(yield* launch("/proc/venom")), "/proc/venom")
    })
  )
})

describe("a data directory that may only be read", () => {
  const isRoot = process.getuid?.() === 0
  beforeEach((test) => {
    if (isRoot) mayMount(test)
  })

  it.live("is refused with 3 and a clear line", () =>
    Effect.gen(function* () {
      const place = yield* directory
      // permission bits do not bind root: a file system does
      yield* isRoot ? mounted(place, "ro,size=1m") : Effect.promise(() => chmod(place, 0o500))
      assert.match(yield* refusal(yield* launch(place)), new RegExp(`${place}.*(EROFS|EACCES|EPERM)`))
      assert.include(yield* refusal(yield* launch(join(place, "data"))), place)
    })
  )
})

describe("the files", { concurrent: true }, () => {
  it.live("are for their owner alone, whatever the umask: the directory 0700, every file in it 0600", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "above/data")
      const before = process.umask(0)
      const venom = yield* Effect.ensuring(
        serve(data, { ...instantly, VENOM_DUMP_INTERVAL: "10 millis" }),
        Effect.sync(() => process.umask(before))
      )
      yield* venom.reaches(yield* venom.submit("x"), "COMPLETED")
      const all = Effect.map(namesIn(data), (names) => names.filter((name) => !name.endsWith(".tmp")))
      const names = yield* until("two dumps", all, (names) => names.includes("state_dump.prev.json"))
      assert.includeMembers([...names], ["state_dump.json", "state_dump.prev.json", "venom.lock"])
      assert.isTrue(names.some((name) => name.startsWith("journal")))
      yield* venom.stop
      assert.strictEqual(yield* modeOf(data), 0o700)
      for (const name of yield* namesIn(data)) assert.strictEqual(yield* modeOf(join(data, name)), 0o600, name)
    })
  )

  it.live("show every change soon: state_dump.json has what GET has, complete and as JSON", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const gate = join(yield* directory, "open")
      const venom = yield* serve(data, {
        VENOM_RUNNER: "command",
        VENOM_COMMAND: `sh -c '${untilThere(gate)}; cat'`,
        VENOM_DUMP_INTERVAL: "100 millis"
      })
      const dump = Effect.flatMap(read(join(data, "state_dump.json")), (bytes) => dumpOf(bytes.toString()))
      const id = yield* venom.submit("€ \u2028 \u0000")
      const shows = (status: string) =>
        until(`${status} in the dump`, dump, (tasks) => tasks.some((task) => task.id === id && task.status === status))
      yield* shows("PROCESSING")
      yield* write(gate, "")
      assert.deepStrictEqual(yield* shows("COMPLETED"), yield* venom.list)
    })
  )

  it.live("stay small: a journal beyond VENOM_JOURNAL_MAX_BYTES is replaced, long before VENOM_DUMP_INTERVAL", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, {
        ...instantly,
        VENOM_DUMP_INTERVAL: "1 hour",
        VENOM_JOURNAL_MAX_BYTES: "20 kB"
      })
      yield* Effect.forEach(Array.from({ length: 200 }), () => venom.submit("x".repeat(1000)), { concurrency: 10 })
      const tasks = yield* venom.settled
      const journals = Effect.map(namesIn(data), (names) => names.filter((name) => name.startsWith("journal")))
      const left = yield* until(
        "the first journals to go",
        journals,
        (names) => !names.includes("journal-00000001.jsonl")
      )
      assert.isBelow(left.length, 5)
      yield* venom.kill
      const next = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* next.list, tasks)
    })
  )
})

describe("a service that syncs only now and then", () => {
  it.live("loses nothing to a kill -9: only the system could still lose it", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, { ...instantly, VENOM_FSYNC: "interval", VENOM_DUMP_INTERVAL: "1 hour" })
      yield* Effect.forEach(Array.from({ length: 50 }), (_, n) => venom.submit(`task ${n}`), { concurrency: 10 })
      const tasks = yield* venom.settled
      yield* venom.kill
      const next = yield* serve(data, instantly)
      assert.deepStrictEqual(yield* next.list, tasks)
    })
  )
})

describe("a service that keeps its tasks in memory", () => {
  it.live("touches no directory, and forgets all when it ends", () =>
    Effect.gen(function* () {
      const data = join(yield* directory, "data")
      const venom = yield* serve(data, { ...instantly, VENOM_STORE: "memory" })
      yield* venom.reaches(yield* venom.submit("x"), "COMPLETED")
      assert.strictEqual((yield* venom.stop).code, 0)
      assert.isFalse(yield* command("ls", data))
      assert.isFalse(yield* isRunning(venom.pid))
    })
  )
})
