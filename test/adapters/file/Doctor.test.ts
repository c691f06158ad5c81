import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as Doctor from "../../../src/adapters/file/Doctor.ts"
import * as Dump from "../../../src/adapters/file/Dump.ts"
import * as Record from "../../../src/adapters/file/Record.ts"
import * as Segment from "../../../src/adapters/file/Segment.ts"
import { idOf, submitted } from "../../support/tasks.ts"

const held = (count: number) => Array.from({ length: count }, (_, n) => submitted(n + 1))

/** The directory of a service that has dumped its state after so many tasks, each of them a record, and one more since. */
const leave = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string, count: number) {
  for (const name of yield* fs.readDirectory(directory)) yield* fs.remove(`${directory}/${name}`)
  const dump = Dump.text({ sequence: count, tasks: held(count), entries: [] }, 0)
  yield* fs.writeFileString(`${directory}/${Dump.fileName}`, Array.from(dump).join(""))
  const lines = [Record.header(count + 1), Record.insert(count + 1, [submitted(count + 1)], [])]
  yield* fs.writeFileString(`${directory}/${Segment.fileName(count)}`, lines.join(""))
})

/** Reads a directory whose service goes on, so many times, each time when the dump has been read and the journal not yet. */
const read = (times: number) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "venom-test-" })
    let lives = 1
    yield* leave(fs, directory, lives)
    let reads = 0
    const goingOn: FileSystem.FileSystem = {
      ...fs,
      readDirectory: (path, options) =>
        Effect.gen(function* () {
          reads++
          // twice, so that what the dump that was read needs is gone
          if (reads <= times) yield* leave(fs, directory, (lives += 2))
          return yield* fs.readDirectory(path, options)
        })
    }
    const { tasks } = yield* Doctor.snapshot(goingOn, directory)
    return { ids: tasks.map(({ id }) => id), reads, expected: Array.from({ length: lives + 1 }, (_, n) => idOf(n + 1)) }
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

describe("the state of a directory whose service goes on", () => {
  it.effect("is read again where what it had begun with is gone, and is whole", () =>
    Effect.gen(function* () {
      for (const times of [0, 1, 3]) {
        const { expected, ids, reads } = yield* read(times)
        assert.sameMembers(ids, expected)
        assert.strictEqual(reads, times + 1)
      }
    })
  )

  it.effect("is not read for ever", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(read(100))
      assert.include(refused.message, "goes back to record")
    })
  )
})
