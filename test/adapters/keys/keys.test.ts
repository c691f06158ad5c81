import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Logger, Option, Redacted, type Scope } from "effect"
import * as TestClock from "effect/testing/TestClock"
import * as KeyFiles from "../../../src/adapters/keys/KeyFiles.ts"
import * as WatchedKeys from "../../../src/adapters/keys/WatchedKeys.ts"
import { idIn } from "../../../src/domain/ApiKey.ts"

const wish = { name: "deploy", scope: "write", expiresAt: null } as const

const inDirectory = <A, E>(
  test: (directory: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(`${yield* fs.makeTempDirectoryScoped()}/keys`, fs)
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

const keysIn = (directory: string) =>
  Effect.map(KeyFiles.list(directory), Option.match({ onNone: () => [], onSome: ({ keys }) => keys }))

describe("keys in a directory", () => {
  it.effect("are kept as a hash, for nobody else to read", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory, fs) {
        assert.isTrue(Option.isNone(yield* KeyFiles.list(directory)))
        const { kept, key } = yield* KeyFiles.create(directory, wish)
        assert.match(key, /^venom_[0-9a-z]{12}_[\w-]{43}$/)
        assert.strictEqual(idIn(key), kept.id)
        assert.strictEqual(kept.sha256, KeyFiles.sha256(key))
        const path = `${directory}/${kept.id}.json`
        assert.notInclude(yield* fs.readFileString(path), key.slice(-43))
        assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o600)
        assert.strictEqual((yield* fs.stat(directory)).mode & 0o777, 0o700)
        assert.deepStrictEqual(yield* KeyFiles.list(directory), Option.some({ keys: [kept], broken: [] }))
        assert.deepStrictEqual(yield* fs.readDirectory(directory), [`${kept.id}.json`])
      })
    )
  )

  it.effect("are made and revoked side by side, and none is undone by another", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const made = yield* Effect.all(
          Array.from({ length: 20 }, () => KeyFiles.create(directory, wish)),
          { concurrency: "unbounded" }
        )
        const [revoked, others] = [made.slice(0, 10), made.slice(10)]
        yield* Effect.all(
          [...revoked.map(({ kept }) => KeyFiles.revoke(directory, kept.id)), KeyFiles.create(directory, wish)],
          { concurrency: "unbounded", discard: true }
        )
        const left = (yield* keysIn(directory)).map(({ id }) => id)
        assert.lengthOf(left, 11)
        for (const { kept } of others) assert.include(left, kept.id)
        assert.isFalse(yield* KeyFiles.revoke(directory, revoked[0]?.kept.id ?? ""))
      })
    )
  )

  it.effect("are told apart from a file that is none, or another's", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory, fs) {
        const { kept } = yield* KeyFiles.create(directory, wish)
        const other = yield* KeyFiles.create(directory, wish)
        const refused = Effect.map(Effect.flip(WatchedKeys.make({ directory })), ({ message }) => message)
        yield* fs.rename(`${directory}/${kept.id}.json`, `${directory}/other.json`)
        assert.deepStrictEqual(yield* keysIn(directory), [other.kept])
        assert.include(yield* refused, "other.json is no API key")
        yield* fs.writeFileString(`${directory}/other.json`, "{}")
        assert.deepStrictEqual(yield* keysIn(directory), [other.kept])
        assert.include(yield* refused, "other.json is no API key")
      })
    )
  )
})

/** The next look, and what it reads from a real disk. */
const look = (seen: () => boolean) =>
  Effect.gen(function* () {
    yield* TestClock.adjust("1 second")
    while (!seen()) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  })

describe("keys of a running service", () => {
  it.effect("come and go without a restart, and stay in force when they cannot be read", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory, fs) {
        const said: Array<string> = []
        const logger = Logger.make<unknown, void>(({ message }) => void said.push(String(message)))
        yield* Effect.gen(function* () {
          const known = yield* WatchedKeys.make({ directory })
          assert.isFalse(known.isLocked())
          const first = yield* KeyFiles.create(directory, wish)
          yield* look(() => known.isLocked())
          assert.deepStrictEqual(known.find(first.kept.id), first.kept)
          const second = yield* KeyFiles.create(directory, wish)
          yield* KeyFiles.revoke(directory, first.kept.id)
          yield* look(() => known.find(first.kept.id) === undefined)
          assert.deepStrictEqual(known.find(second.kept.id), second.kept)

          const another = yield* KeyFiles.create(directory, wish)
          yield* look(() => known.find(another.kept.id) !== undefined)
          yield* fs.writeFileString(`${directory}/${second.kept.id}.json`, "{")
          yield* look(() => said.some((line) => line.includes("cannot be read")))
          assert.deepStrictEqual(known.find(second.kept.id), second.kept)
          // what is wrong with one file keeps no other in force
          yield* KeyFiles.revoke(directory, another.kept.id)
          yield* look(() => known.find(another.kept.id) === undefined)
          assert.deepStrictEqual(known.find(second.kept.id), second.kept)

          yield* fs.remove(directory, { recursive: true })
          const third = yield* Effect.andThen(TestClock.adjust("1 second"), KeyFiles.create(directory, wish))
          yield* look(() => known.find(third.kept.id) !== undefined)
          yield* KeyFiles.revoke(directory, third.kept.id)
          yield* look(() => known.find(third.kept.id) === undefined)
          assert.isTrue(known.isLocked(), "with no key left nobody is let in")
        }).pipe(Effect.provide(Logger.layer([logger])))
      })
    )
  )

  it.effect("have one of the settings among them, that no id finds by chance", () =>
    inDirectory(
      Effect.fnUntraced(function* (directory) {
        const own = "k".repeat(32)
        const known = yield* WatchedKeys.make({ directory, apiKey: Redacted.make(own) })
        assert.isTrue(known.isLocked())
        assert.strictEqual(known.find(undefined)?.sha256, KeyFiles.sha256(own))
        assert.strictEqual(known.find(undefined)?.scope, "admin")
      })
    )
  )
})
