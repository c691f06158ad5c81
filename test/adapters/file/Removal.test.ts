import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Schema } from "effect"
import * as Record from "../../../src/adapters/file/Record.ts"
import * as Recovery from "../../../src/adapters/file/Recovery.ts"
import * as Segment from "../../../src/adapters/file/Segment.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { TaskId } from "../../../src/domain/Task.ts"
import { after, idOf, submitted } from "../../support/tasks.ts"

const bytesOf = (line: string) => Buffer.from(line.slice(0, -1))

describe("a removal in the journal", () => {
  it.effect.prop(
    "is read as it was written",
    [
      Schema.Array(TaskId).check(Schema.isMaxLength(50)),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))
    ],
    ([ids, seq]) =>
      Effect.sync(() => {
        const read = Record.parse(bytesOf(Record.removal(seq, ids)))
        assert.deepStrictEqual(read, Option.some({ _tag: "Removal", seq, ids }))
      })
  )

  it("with another byte anywhere is none", () => {
    const line = bytesOf(Record.removal(7, [idOf(1), idOf(2)]))
    for (const at of line.keys()) {
      const damaged = Buffer.from(line)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      const read = Record.parse(damaged)
      assert.isTrue(Option.isNone(read), damaged.toString())
    }
  })

  /** The ids that are left of what the segments hold, and the damage that was found. */
  const recovered = (...segments: ReadonlyArray<ReadonlyArray<string>>) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "venom-test-" })
      for (const [index, lines] of segments.entries()) {
        yield* fs.writeFileString(`${directory}/${Segment.fileName(index + 1)}`, lines.join(""))
      }
      const { damage, tasks } = yield* Recovery.read(fs, directory)
      return { ids: Array.from(tasks.keys()), damage }
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

  const three = Record.insert(1, [submitted(1), submitted(2), submitted(3)], [])

  it.effect("takes its tasks away, and twice does no more than once", () =>
    Effect.gen(function* () {
      const lines = [Record.removal(2, [idOf(1), idOf(3)]), Record.removal(3, [idOf(3), idOf(1)])]
      const found = yield* recovered([Record.header(1), three, ...lines])
      assert.deepStrictEqual(found, { ids: [idOf(2)], damage: [] })
    })
  )

  it.effect("of a task that is not known is no damage", () =>
    Effect.gen(function* () {
      const found = yield* recovered([Record.header(1), three, Record.removal(2, [idOf(99), idOf(2)])])
      assert.deepStrictEqual(found, { ids: [idOf(1), idOf(3)], damage: [] })
    })
  )

  it.effect("that a later segment makes void has not happened", () =>
    Effect.gen(function* () {
      const cancelled = after(submitted(2), Lifecycle.cancel(5))
      const found = yield* recovered(
        [Record.header(1), three, Record.removal(2, [idOf(2)])],
        [Record.header(2), Record.change(2, [submitted(2)], cancelled)]
      )
      assert.deepStrictEqual(found, { ids: [1, 2, 3].map(idOf), damage: [] })
    })
  )

  it.effect("that is torn has not happened", () =>
    Effect.gen(function* () {
      const found = yield* recovered([Record.header(1), three, Record.removal(2, [idOf(2)]).slice(0, -5)])
      assert.deepStrictEqual(found.ids, [1, 2, 3].map(idOf))
      assert.deepStrictEqual(
        found.damage.map(({ torn }) => torn),
        [true]
      )
    })
  )
})
