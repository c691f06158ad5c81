import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Logger, Option } from "effect"
import { TestClock } from "effect/testing"
import * as Room from "../../../src/adapters/file/Room.ts"

const mebibyte = 1024 * 1024

/** A room on a disk of which the test says what is free. */
const on = (total: number, dump = 0) =>
  Effect.gen(function* () {
    const disk = { free: total, tells: true, dump }
    const told: Array<string> = []
    const ask = () => Effect.sync(() => (disk.tells ? Option.some({ free: disk.free, total }) : Option.none()))
    const logger = Logger.make(({ logLevel, message }) => void told.push(`${logLevel} ${String(message)}`))
    const room = yield* Room.make("/data", () => disk.dump).pipe(Effect.provideService(Room.AskSpace, ask))
    const takes = Effect.map(Effect.provide(room.measure, Logger.layer([logger])), () => Option.isNone(room.refusal()))
    return { disk, room, takes, told }
  })

describe("Room on a disk", () => {
  it.effect("takes tasks while another dump fits, and 16 MiB for the others", () =>
    Effect.gen(function* () {
      const { disk, takes } = yield* on(100_000 * mebibyte, 50 * mebibyte)
      for (const [free, taken] of [
        [66 * mebibyte, true],
        [66 * mebibyte - 1, false]
      ] as const) {
        disk.free = free
        assert.strictEqual(yield* takes, taken)
      }
    })
  )

  it.effect("that is small is of use: what is kept free beside the dump is at most one part of 32", () =>
    Effect.gen(function* () {
      const { disk, takes } = yield* on(2 * mebibyte)
      disk.free = mebibyte / 16
      assert.isTrue(yield* takes)
      disk.free--
      assert.isFalse(yield* takes)
    })
  )

  it.effect("takes tasks again when there is some more, so that it does not come and go, and says each once", () =>
    Effect.gen(function* () {
      const { disk, takes, told } = yield* on(1000 * mebibyte)
      disk.free = mebibyte
      assert.isFalse(yield* takes)
      disk.free = 20 * mebibyte
      assert.isFalse(yield* takes)
      disk.free = 32 * mebibyte
      assert.isTrue(yield* takes)
      disk.free = 20 * mebibyte
      assert.isTrue(yield* takes)
      assert.deepStrictEqual(told, [
        "Warn Storage is not writable for new tasks: 1.00 MiB of disk space are left, and 16.00 MiB are needed",
        "Info There is room for new tasks again"
      ])
    })
  )

  it.effect("knows what is written before the disk is asked again", () =>
    Effect.gen(function* () {
      const { disk, room, takes } = yield* on(1000 * mebibyte)
      assert.isTrue(yield* takes)
      room.spend(984 * mebibyte)
      assert.isTrue(Option.isNone(room.refusal()))
      room.spend(1)
      assert.isTrue(Option.isSome(room.refusal()))
      // it was deleted at once, by somebody else
      assert.isTrue(yield* takes)
      disk.dump = 985 * mebibyte
      assert.isFalse(yield* takes)
    })
  )

  it.effect("that does not tell always has room", () =>
    Effect.gen(function* () {
      const { disk, room, takes } = yield* on(mebibyte)
      disk.tells = false
      assert.isTrue(yield* takes)
      room.spend(1000 * mebibyte)
      assert.isTrue(Option.isNone(room.refusal()))
      disk.tells = true
      disk.free = 0
      assert.isFalse(yield* takes)
      disk.tells = false
      assert.isTrue(yield* takes)
    })
  )

  it.effect("that does not answer holds nobody up, is asked once, and counts again when it answers", () =>
    Effect.gen(function* () {
      const answers = yield* Latch.make(false)
      let asked = 0
      const ask = () => {
        asked++
        return Effect.as(answers.await, Option.some({ free: 0, total: mebibyte }))
      }
      const room = yield* Room.make("/data", () => 1).pipe(Effect.provideService(Room.AskSpace, ask))
      for (const _ of [1, 2]) {
        const measuring = yield* Effect.forkChild(Effect.uninterruptible(room.measure))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(measuring)
        assert.isTrue(Option.isNone(room.refusal()))
      }
      assert.strictEqual(asked, 1)
      yield* answers.open
      yield* Effect.uninterruptible(room.measure)
      assert.isTrue(Option.isSome(room.refusal()))
    })
  )

  it.effect("is asked of the system", () =>
    Effect.gen(function* () {
      const space = yield* (yield* Room.AskSpace)(".")
      assert.isTrue(Option.exists(space, ({ free, total }) => free > 0 && total >= free))
      assert.isTrue(Option.isNone(yield* (yield* Room.AskSpace)("/no such directory")))
    })
  )
})
