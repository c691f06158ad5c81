import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { appendFile } from "node:fs/promises"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { change, contentsOf, copyOf, flipped, journalsIn, namesIn, read } from "./support/Files.ts"
import { directory, launch, serve } from "./support/Service.ts"
import type { Task } from "./support/Wire.ts"

const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }
const seldom = { VENOM_SIMULATED_DURATION: "0 seconds", VENOM_DUMP_INTERVAL: "1 hour" }

class Killed extends Context.Service<Killed, { readonly path: string; readonly tasks: ReadonlyArray<Task> }>()(
  "test/process/journal/Killed"
) {}

/** Left behind by kill -9: forty COMPLETED tasks, nearly all of them in the last segment of the journal alone. */
const killed = Layer.effect(
  Killed,
  Effect.gen(function* () {
    const path = join(yield* directory, "data")
    const venom = yield* serve(path, seldom)
    for (let n = 0; n < 40; n++) yield* venom.reaches(yield* venom.submit(`task ${n}`), "COMPLETED")
    const tasks = yield* venom.list
    yield* venom.kill
    return { path, tasks }
  })
)

/** A copy of the directory, and the path of its last segment. */
const copied = Effect.gen(function* () {
  const { path, tasks } = yield* Killed
  const copy = yield* copyOf(path)
  const last = (yield* journalsIn(copy)).at(-1) ?? ""
  return { path: copy, last, tasks }
})

const setAside = (path: string) => Effect.map(namesIn(path), (names) => names.filter((name) => name.includes(".bad")))
const concurrently = { concurrent: true }

layer(killed, { excludeTestServices: true, timeout: "2 minutes" })("The journal", (it) => {
  it.effect(
    "is text: each line a checksum and JSON with a sequence number, after a header with format and version",
    () =>
      Effect.gen(function* () {
        const { path } = yield* Killed
        let sequence = 0
        for (const file of yield* journalsIn(path)) {
          const [header = "", ...lines] = (yield* read(file)).toString().split("\n")
          assert.match(header, /^[0-9a-f]{8} \{"format":"venom-journal","version":1,/)
          assert.strictEqual(lines.pop(), "")
          for (const line of lines) {
            assert.match(line, /^[0-9a-f]{8} \{/)
            assert.strictEqual(JSON.parse(line.slice(9)).seq, ++sequence)
          }
        }
        assert.isAbove(sequence, 80)
      })
  )

  const torn: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    "one byte short": (bytes) => bytes.subarray(0, -1),
    "cut in the middle of its last record": (bytes) => bytes.subarray(0, bytes.lastIndexOf("\n", -2) + 40),
    "followed by half a record": (bytes) => Buffer.concat([bytes, bytes.subarray(100, 160)]),
    "followed by zeros": (bytes) => Buffer.concat([bytes, Buffer.alloc(4096)]),
    "followed by bytes that are no UTF-8": (bytes) => Buffer.concat([bytes, Buffer.of(0xff, 0xfe, 0x80, 0x0a, 0xc0)])
  }
  for (const [what, tear] of Object.entries(torn)) {
    it.effect(
      `that is ${what} loses that and no more: the bytes are set aside, the log says how many`,
      () =>
        Effect.gen(function* () {
          const { last, path, tasks } = yield* copied
          yield* change(last, tear)
          const bytes = yield* read(last)
          const venom = yield* serve(path, instantly)
          const found = yield* venom.settled
          // the verdict of the last one may have been in the bytes that were cut off: it has run again
          assert.deepStrictEqual(found.slice(1), tasks.slice(1))
          assert.include(found[0], { id: tasks[0]?.id ?? "", content: "task 39", status: "COMPLETED" })
          const [name = "", ...more] = yield* setAside(path)
          assert.deepStrictEqual(more, [])
          const kept = yield* read(join(path, name))
          assert.isTrue(bytes.subarray(-kept.length).equals(kept))
          const told = venom.log().filter(({ message }) => `${message}`.includes(name))
          const bytesTold = told.map(({ message }) => Number(/\((\d+) bytes\)/.exec(`${message}`)?.[1]))
          assert.strictEqual(
            bytesTold.reduce((sum, bytes) => sum + bytes, 0),
            kept.length
          )
          assert.isTrue(told.every(({ level }) => level === "info"))
          // and again, with records behind the place of the tear
          const id = yield* venom.submit("new")
          yield* venom.reaches(id, "COMPLETED")
          const all = yield* venom.list
          yield* venom.kill
          const again = yield* serve(path, instantly)
          assert.deepStrictEqual(yield* again.list, all)
          assert.deepStrictEqual(yield* setAside(path), [name])
        }),
      concurrently
    )
  }

  const damages: Readonly<Record<string, (bytes: Buffer, line: number, end: number) => Buffer>> = {
    "one bit wrong": (bytes, line) => flipped(bytes, line + 60),
    "one bit wrong in a checksum": (bytes, line) => flipped(bytes, line + 3),
    "one line end gone": (bytes, _, end) => flipped(bytes, end),
    "a sector of zeros": (bytes, line) => Buffer.from(bytes).fill(0, line + 1, line + 513),
    "a hole": (bytes, line, end) => Buffer.concat([bytes.subarray(0, line + 20), bytes.subarray(end - 20)])
  }
  for (const [what, damage] of Object.entries(damages)) {
    it.effect(
      `with ${what} in the middle keeps every record that can be read, and the damaged bytes in a named file`,
      () =>
        Effect.gen(function* () {
          const { last, path, tasks } = yield* copied
          const bytes = yield* read(last)
          // the record that brings task 20
          const line = bytes.lastIndexOf("\n", bytes.indexOf(`"task 20"`)) + 1
          const damaged = damage(bytes, line, bytes.indexOf("\n", line))
          yield* change(last, () => damaged)
          const venom = yield* serve(path, instantly)
          const found = yield* venom.settled
          const others = (all: ReadonlyArray<Task>) => all.filter(({ content }) => !/^task (19|20|21)$/.test(content))
          assert.deepStrictEqual(others(found), others(tasks))
          assert.isAtLeast(found.length, 38)
          const [name = "", ...more] = yield* setAside(path)
          assert.deepStrictEqual(more, [])
          assert.isTrue((yield* read(join(path, name))).includes(damaged.subarray(line, line + 20)))
          const told = venom.log().filter(({ level }) => level === "error")
          assert.isAtLeast(told.length, 1)
          assert.include(`${told[0]?.["message"]}`, name)
          assert.match(`${told[0]?.["message"]}`, /byte \d+.*\d+ bytes/)
          // it is told once
          yield* venom.stop
          const again = yield* serve(path, instantly)
          assert.deepStrictEqual(yield* again.list, found)
          assert.deepStrictEqual(
            again.log().filter(({ level }) => level === "error"),
            []
          )
        }),
      concurrently
    )
  }

  it.effect(
    "of a newer version is refused with 3, and nothing is touched",
    () =>
      Effect.gen(function* () {
        const { last, path } = yield* copied
        yield* change(last, (bytes) => {
          const [header = "", ...lines] = bytes.toString().split("\n")
          const newer = header.slice(9).replace(`"version":1`, `"version":2`)
          return [`${crc32(newer).toString(16).padStart(8, "0")} ${newer}`, ...lines].join("\n")
        })
        const before = yield* contentsOf(path)
        const venom = yield* launch(path, instantly)
        assert.strictEqual((yield* venom.ended).code, 3)
        assert.match(venom.stderr(), /newer version/)
        const after = yield* contentsOf(path)
        before.delete("venom.lock")
        after.delete("venom.lock")
        assert.deepStrictEqual(after, before)
      }),
    concurrently
  )

  it.effect(
    "leaves files alone that are not of it",
    () =>
      Effect.gen(function* () {
        const { path, tasks } = yield* copied
        yield* Effect.promise(() => appendFile(join(path, "notes.txt"), "mine"))
        yield* Effect.promise(() => appendFile(join(path, "journal-copy.jsonl"), "mine"))
        const venom = yield* serve(path, instantly)
        assert.deepStrictEqual(yield* venom.list, tasks)
        yield* venom.stop
        assert.strictEqual((yield* read(join(path, "notes.txt"))).toString(), "mine")
        assert.strictEqual((yield* read(join(path, "journal-copy.jsonl"))).toString(), "mine")
      }),
    concurrently
  )
})
