import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import {
  change,
  contentsOf,
  copyOf,
  flipped,
  journalsIn,
  makeDirectory,
  namesIn,
  read,
  write
} from "./support/Files.ts"
import { directory, launch, serve, until } from "./support/Service.ts"
import { dumpOf, type Task } from "./support/Wire.ts"

const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }
/** After its first dump it writes no other: the rest is in the journal alone. */
const seldom = { ...instantly, VENOM_DUMP_INTERVAL: "1 hour" }
const often = { ...instantly, VENOM_DUMP_INTERVAL: "10 millis" }

interface Killed {
  readonly path: string
  readonly tasks: ReadonlyArray<Task>
}

const dump = "state_dump.json"
const previous = "state_dump.prev.json"

/** Left behind by kill -9: forty tasks, all COMPLETED. */
const killed = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>>, goesOn: boolean) {
  const path = join(yield* directory, "data")
  const venom = yield* serve(path, settings)
  yield* Effect.forEach(Array.from({ length: 40 }), (_, n) => venom.submit(`task ${n} ${"\u2028x".repeat(n * 10)}`))
  yield* venom.settled
  if (goesOn) {
    const isOn = Effect.map(journalsIn(path), ([first = ""]) => !first.endsWith("00000001.jsonl"))
    yield* until("the first journal to go", isOn, (on) => on)
  }
  const tasks = yield* venom.list
  yield* venom.kill
  return { path, tasks } satisfies Killed
})

class Directories extends Context.Service<
  Directories,
  {
    /** Its journal holds all that ever happened. */
    readonly young: Killed
    /** The previous dump, and the journal since then. */
    readonly old: Killed
  }
>()("test/process/damage/Directories") {}

const directories = Layer.effect(
  Directories,
  Effect.all({ young: killed(seldom, false), old: killed(often, true) }, { concurrency: 2 })
)

const inDump = (by: (bytes: Buffer) => string | Uint8Array) => (path: string) => change(join(path, dump), by)
const remove =
  (...names: ReadonlyArray<string>) =>
  (path: string) =>
    Effect.forEach(names, (name) => Effect.promise(() => rm(join(path, name))), { discard: true })

const setAside = (path: string) => Effect.map(namesIn(path), (names) => names.filter((name) => name.includes(".bad")))

layer(directories, { excludeTestServices: true, timeout: "2 minutes" })("A start", (it) => {
  const concurrently = { concurrent: true }

  const dumps: Readonly<Record<string, (path: string) => Effect.Effect<void>>> = {
    "is missing": remove(dump),
    "is empty": inDump(() => ""),
    "is cut in the middle": inDump((bytes) => bytes.subarray(0, bytes.length / 2)),
    "is garbage": inDump((bytes) => Buffer.alloc(bytes.length, "garbage\n")),
    "is zeros": inDump((bytes) => Buffer.alloc(bytes.length)),
    "has one bit wrong in a content": inDump((bytes) => flipped(bytes, bytes.indexOf(`"content":"`) + 12)),
    "has one bit wrong in the name of its sequence": inDump((bytes) => flipped(bytes, bytes.indexOf(`sequence`))),
    "has one bit wrong in its checksum": inDump((bytes) => flipped(bytes, bytes.length - 5)),
    "has lost a task": inDump((bytes) => bytes.toString().replace(/^\{"id".*\n/m, "")),
    "has a task twice": inDump((bytes) => bytes.toString().replace(/^(\{"id".*,\n)/m, "$1$1")),
    "is not there, but half of the next one is": (path) =>
      Effect.andThen(remove(dump)(path), write(join(path, `${dump}.tmp`), `{"format":"venom-state","version":1`))
  }
  /** The directory whose dump is damaged, and whether a second start is looked at too. */
  const rows = Object.entries(dumps).flatMap(([what, damage]) => [
    { what, damage, age: "old" as const, again: ["is empty", "is missing"].includes(what) },
    ...(["is empty", "is missing", "is garbage"].includes(what)
      ? [{ what, damage, age: "young" as const, again: what === "is garbage" }]
      : [])
  ])
  for (const { again, age, damage, what } of rows) {
    it.effect(
      `finds every task as it was when the dump of a directory that is ${age} ${what}, and deletes nothing`,
      () =>
        Effect.gen(function* () {
          const before = (yield* Directories)[age]
          const path = yield* copyOf(before.path)
          yield* damage(path)
          const damaged = (yield* namesIn(path)).includes(dump) ? yield* read(join(path, dump)) : undefined
          const venom = yield* serve(path, instantly)
          assert.deepStrictEqual(yield* venom.list, before.tasks)
          const kept = yield* setAside(path)
          if (damaged === undefined) assert.deepStrictEqual(kept, [])
          else {
            assert.lengthOf(kept, 1)
            assert.deepStrictEqual(yield* read(join(path, `${kept[0]}`)), damaged)
            const told = venom.log().filter(({ level }) => level === "error" || level === "warn")
            assert.include(JSON.stringify(told), `${kept[0]}`)
          }
          if (!again) return
          // what was found is whole, and goes on
          yield* venom.reaches(yield* venom.submit("new"), "COMPLETED")
          const all = yield* venom.list
          assert.strictEqual((yield* venom.stop).code, 0)
          assert.sameDeepMembers([...(yield* dumpOf((yield* read(join(path, dump))).toString()))], [...all])
          const next = yield* serve(path, instantly)
          assert.deepStrictEqual(yield* next.list, all)
          assert.deepStrictEqual(yield* setAside(path), kept)
        }),
      concurrently
    )
  }

  it.effect(
    "reads a dump that a person has laid out anew",
    () =>
      Effect.gen(function* () {
        const { old } = yield* Directories
        const path = yield* copyOf(old.path)
        yield* inDump((bytes) => JSON.stringify(JSON.parse(bytes.toString()), null, 2))(path)
        const venom = yield* serve(path, instantly)
        assert.deepStrictEqual(yield* venom.list, old.tasks)
      }),
    concurrently
  )

  it.effect(
    "finds nothing in an empty directory, and in one that does not exist, and that is no error",
    () =>
      Effect.gen(function* () {
        const path = yield* directory
        for (const place of [path, join(path, "a/b c/ü")]) {
          const venom = yield* serve(place, instantly)
          assert.deepStrictEqual(yield* venom.list, [])
          assert.deepStrictEqual(
            venom.log().filter(({ level }) => level !== "info"),
            []
          )
        }
      }),
    concurrently
  )

  const refused: Readonly<
    Record<
      string,
      {
        readonly age: "young" | "old"
        readonly damage: (path: string) => Effect.Effect<unknown>
        readonly says: ReadonlyArray<RegExp>
      }
    >
  > = {
    "neither dump can be read and the journal does not go back to the beginning": {
      age: "old",
      damage: (path) => Effect.andThen(write(join(path, dump), "garbage"), write(join(path, previous), `{"for`)),
      says: [/state_dump\.json/, /state_dump\.prev\.json/, /byte 0/, /venom doctor/]
    },
    "neither dump is there and the journal does not go back to the beginning": {
      age: "old",
      damage: remove(dump, previous),
      says: [/journal/, /venom doctor/]
    },
    "the only file is a dump that is empty": {
      age: "young",
      damage: (path) =>
        Effect.andThen(
          Effect.promise(() => rm(path, { recursive: true })),
          Effect.andThen(makeDirectory(path), write(join(path, dump), ""))
        ),
      says: [/state_dump\.json/, /byte 0/, /venom doctor/]
    },
    "the dump is of a newer version": {
      age: "young",
      damage: inDump((bytes) => bytes.toString().replace(`"version":1`, `"version":2`)),
      says: [/state_dump\.json/, /newer/]
    },
    "the dump is of a newer version that looks different": {
      age: "old",
      damage: inDump(() => `{\n  "version": 7,\n  "format": "venom-state",\n  "tasks": {}\n}\n`),
      says: [/state_dump\.json/, /newer/]
    },
    "a directory stands in the place of the dump": {
      age: "young",
      damage: (path) => Effect.andThen(remove(dump)(path), makeDirectory(join(path, dump))),
      says: [/state_dump\.json|EISDIR/]
    }
  }
  for (const [what, { age, damage, says }] of Object.entries(refused)) {
    it.effect(
      `is refused with 3 when ${what}: it says so in a line, and touches nothing`,
      () =>
        Effect.gen(function* () {
          const path = yield* copyOf((yield* Directories)[age].path)
          yield* damage(path)
          const isDirectory = what.includes("directory stands")
          const before = isDirectory ? undefined : yield* contentsOf(path)
          const venom = yield* launch(path, instantly)
          assert.strictEqual((yield* venom.ended).code, 3, venom.stderr())
          const told = venom.log().filter(({ level }) => level === "fatal" || level === "error")
          assert.lengthOf(told, 1)
          assert.notProperty(told[0], "cause")
          for (const one of says) assert.match(`${told[0]?.["message"]}`, one)
          if (before === undefined) return
          const after = yield* contentsOf(path)
          before.delete("venom.lock")
          after.delete("venom.lock")
          assert.deepStrictEqual(after, before)
        }),
      concurrently
    )
  }
})
