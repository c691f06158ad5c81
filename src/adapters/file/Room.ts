import { Context, Effect, Fiber, Option } from "effect"
import { statfs } from "node:fs/promises"
import { StorageFull } from "../../ports/StorageError.ts"

/** Bytes of the file system that holds a directory. */
export interface Space {
  /** Free for this user. */
  readonly free: number
  readonly total: number
}

const ask = (directory: string): Effect.Effect<Option.Option<Space>> =>
  Effect.tryPromise(() => statfs(directory)).pipe(
    Effect.map(({ bavail, blocks, bsize }) => ({ free: bavail * bsize, total: blocks * bsize })),
    Effect.option,
    // file systems without blocks of their own say 0
    Effect.map(Option.filter(({ total }) => total > 0))
  )

/** How a disk is asked for its room; none where it does not tell. Another way stands here where the disk is simulated. */
export const AskSpace = Context.Reference("venom/adapters/file/Room/AskSpace", { defaultValue: () => ask })

/** A disk that does not answer within this does not tell. */
const patience = "1 second"

/** For the records of attempts that are running or begin later. */
const mostReserve = 16 * 1024 * 1024
/** A small disk must be of use too. */
const reserveShare = 1 / 32

/** Whether there is room for more tasks. Where the disk does not tell there always is. */
export interface Room {
  /** Why no new task is taken. */
  readonly refusal: () => Option.Option<StorageFull>
  /** Bytes that are left; without an end where the disk does not tell. */
  readonly left: () => number
  /** The journal has grown by so many bytes: known at once, not only when the disk is asked again. */
  readonly spend: (bytes: number) => void
  /** Asks the disk. Not while a dump is being written, which takes room that it gives back. */
  readonly measure: Effect.Effect<void>
}

/**
 * New tasks are refused while less is free than the next dump needs, and a reserve for what becomes of the
 * tasks that are there; and until as much again as the reserve is free, so that it does not come and go.
 */
export const make = Effect.fnUntraced(function* (directory: string, nextDump: () => number): Effect.fn.Return<Room> {
  const space = yield* AskSpace
  let free = Number.POSITIVE_INFINITY
  let reserve = 0
  let spent = 0
  let full = Option.none<StorageFull>()
  let isTold = false

  const left = () => Math.max(0, free - spent)

  const judge = () => {
    const needed = nextDump() + (Option.isSome(full) ? 2 : 1) * reserve
    full = left() < needed ? Option.some(new StorageFull({ free: left(), needed })) : Option.none()
  }

  let asked: Fiber.Fiber<Option.Option<Space>> | undefined
  // a call that hangs cannot be ended: it is the only one until it ends by itself
  const answer = Effect.gen(function* () {
    const answered = Effect.sync(() => {
      asked = undefined
    })
    asked ??= yield* Effect.forkDetach(Effect.ensuring(space(directory), answered))
    return Option.flatten(yield* Effect.timeoutOption(Fiber.join(asked), patience))
  })

  const tell = Effect.suspend(() => {
    if (Option.isSome(full) === isTold) return Effect.void
    isTold = Option.isSome(full)
    return Option.match(full, {
      onNone: () => Effect.logInfo("There is room for new tasks again"),
      onSome: ({ message }) => Effect.logWarning(message)
    })
  })

  return {
    refusal: () => full,
    left,
    spend: (bytes) => {
      spent += bytes
      if (Option.isNone(full)) judge()
    },
    measure: Effect.gen(function* () {
      const before = spent
      const told = yield* answer
      spent -= before
      free = Option.match(told, { onNone: () => Number.POSITIVE_INFINITY, onSome: (space) => space.free })
      reserve = Option.match(told, {
        onNone: () => 0,
        onSome: ({ total }) => Math.min(mostReserve, Math.floor(total * reserveShare))
      })
      judge()
      yield* tell
    })
  }
})
