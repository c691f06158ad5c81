import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem } from "effect"
import * as Lock from "../../../src/adapters/file/Lock.ts"

/** Two directories of which the system says that they have the same number. */
const twins = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const place = yield* fs.makeTempDirectoryScoped({ prefix: "venom-test-" })
  const [first, second] = [`${place}/first`, `${place}/second`] as const
  yield* fs.makeDirectory(first)
  yield* fs.makeDirectory(second)
  const { ino } = yield* fs.stat(first)
  const confused: FileSystem.FileSystem = {
    ...fs,
    stat: (path) => Effect.map(fs.stat(path), (info) => (path === second ? { ...info, ino } : info))
  }
  return { fs: confused, first, second }
})

// elsewhere the file is the lock, and no number counts
describe.skipIf(process.platform !== "linux")("A lock", () => {
  it.effect("holds a directory whatever it is called, and lets go when its scope closes", () =>
    Effect.gen(function* () {
      const { first, fs, second } = yield* twins
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Lock.acquire(fs, first)
          assert.isTrue(Exit.isFailure(yield* Effect.exit(Lock.acquire(fs, second))))
          assert.isTrue(yield* fs.exists(`${first}/${Lock.fileName}`))
        })
      )
      assert.isFalse(yield* fs.exists(`${first}/${Lock.fileName}`))
      yield* Lock.acquire(fs, second)
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("lets go of a directory that is gone, whose number another one has been given", () =>
    Effect.gen(function* () {
      const { first, fs, second } = yield* twins
      yield* Lock.acquire(fs, first)
      yield* fs.remove(first, { recursive: true })
      yield* Lock.acquire(fs, second)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Lock.acquire(fs, second))))
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )

  it.effect("that ends leaves the file of another process where it is", () =>
    Effect.gen(function* () {
      const { first, fs } = yield* twins
      const theirs = `{"pid":1,"started":"1","boot":"b","host":"elsewhere"}`
      yield* Effect.scoped(
        Effect.andThen(Lock.acquire(fs, first), fs.writeFileString(`${first}/${Lock.fileName}`, theirs))
      )
      assert.strictEqual(yield* fs.readFileString(`${first}/${Lock.fileName}`), theirs)
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
