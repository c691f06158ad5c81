import { Effect, Exit, Fiber, type FileSystem, Option, Schema, Scope } from "effect"
import { isPlatformError, type PlatformError } from "effect/PlatformError"
import * as Disk from "./Disk.ts"
import * as Record from "./Record.ts"

/** What was to be written is not durable. */
export class SegmentFailure extends Schema.TaggedError<SegmentFailure>()("SegmentFailure", {
  reason: Schema.String,
  /** Whether the file still ends with the last good record, so that it may be written on. */
  trusted: Schema.Boolean
}) {
  override get message() {
    return this.reason
  }
}

/** No new segment could be made. */
export class SegmentNotMade extends Schema.TaggedError<SegmentNotMade>()("SegmentNotMade", {
  error: Schema.declare(isPlatformError),
  /** Whether its header may turn up after a crash, and make void what is written to the segment before it. */
  mayTurnUp: Schema.Boolean
}) {}

/** A numbered file of the journal, open at its end. One writer at a time. */
export interface Segment {
  readonly number: number
  readonly path: string
  /** The sequence its records begin with. */
  readonly from: number
  readonly size: () => number
  /** Writes all the lines, or cuts the file back to what it was. */
  readonly append: (lines: ReadonlyArray<string>) => Effect.Effect<void, SegmentFailure>
  readonly sync: Effect.Effect<void, SegmentFailure>
  /** Cuts off what the last append has written, as far as the disk lets it. Nothing may be appended after. */
  readonly takeBack: Effect.Effect<void>
  readonly close: Effect.Effect<void>
}

export const fileName = (number: number): string => `journal-${String(number).padStart(8, "0")}.jsonl`

/** Characters put into one write, so that no batch makes a string or a buffer of any size. */
const portionChars = 4 * 1024 * 1024

const portions = function* (lines: ReadonlyArray<string>): Generator<string> {
  let chars = 0
  let first = 0
  for (const [at, line] of lines.entries()) {
    if (chars > 0 && chars + line.length > portionChars) {
      yield lines.slice(first, at).join("")
      first = at
      chars = 0
    }
    chars += line.length
  }
  yield lines.slice(first).join("")
}

/** The number in a segment's file name. */
export const numberOf = (name: string): Option.Option<number> => {
  const digits = /^journal-(\d{8,})\.jsonl$/.exec(name)?.[1]
  return digits === undefined ? Option.none() : Option.some(Number(digits))
}

/** A new segment: its header and its name are durable when this returns. */
export const create = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  number: number,
  from: number
): Effect.fn.Return<Segment, SegmentNotMade> {
  const path = `${directory}/${fileName(number)}`
  const scope = yield* Scope.make()
  const close = Scope.close(scope, Exit.void).pipe(
    Effect.catchCause((cause) => Effect.logWarning(`Closing ${path} failed`, cause))
  )
  const header = Buffer.from(Record.header(from))
  let end = header.length
  let lastAppend = header.length
  let isWhole = false

  const file = yield* Effect.gen(function* () {
    const opened = yield* fs.open(path, { flag: "wx", mode: Disk.privateFile }).pipe(Scope.provide(scope))
    yield* opened.writeAll(header)
    isWhole = true
    yield* opened.sync
    yield* Disk.syncDirectory(fs, directory)
    return opened
  }).pipe(
    Effect.tapError(() => Effect.andThen(close, Effect.ignore(fs.remove(path, { force: true })))),
    Effect.mapError((error) => new SegmentNotMade({ error, mayTurnUp: isWhole }))
  )

  const cutBack = (error: PlatformError) =>
    file.truncate(end).pipe(
      Effect.match({ onFailure: () => false, onSuccess: () => Disk.isOutOfSpace(error) }),
      Effect.flatMap((trusted) => Effect.fail(new SegmentFailure({ reason: Disk.describe(error), trusted })))
    )

  const untrusted = (reason: string) => new SegmentFailure({ reason, trusted: false })

  const append = (lines: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      lastAppend = end
      let size = 0
      for (const text of portions(lines)) {
        const bytes = Buffer.from(text)
        yield* file.writeAll(bytes)
        size += bytes.length
      }
      end += size
    }).pipe(Effect.catch(cutBack))

  // a file whose directory was deleted can still be written and synced, for nobody
  const stillThere = Effect.flatMap(file.stat, ({ nlink }) =>
    Option.contains(nlink, 0n) ? Effect.fail(untrusted(`${fileName(number)} was deleted`)) : Effect.void
  )

  // both at once, and one fiber more for it
  const sync = Effect.forkChild(stillThere, { startImmediately: true }).pipe(
    Effect.flatMap((looked) => Effect.andThen(file.sync, Fiber.join(looked))),
    Effect.catchTag("PlatformError", (error) => Effect.fail(untrusted(Disk.describe(error))))
  )

  const takeBack = Effect.ignore(Effect.suspend(() => file.truncate(lastAppend)))

  return { number, path, from, size: () => end, append, sync, takeBack, close }
})

/** In the place of a segment that could not be made: nothing can be written to it. */
export const unmade = (directory: string, number: number, from: number): Segment => {
  const refused = Effect.fail(new SegmentFailure({ reason: `${fileName(number)} could not be made`, trusted: false }))
  return {
    number,
    path: `${directory}/${fileName(number)}`,
    from,
    size: () => 0,
    append: () => refused,
    sync: refused,
    takeBack: Effect.void,
    close: Effect.void
  }
}
