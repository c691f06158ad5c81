import { Clock, Effect, FileSystem, Result, Schedule, Schema } from "effect"
import { Digest, sha256 } from "effect/crypto/Digest"
import * as Patience from "../client/Patience.ts"
import { limits, TaskCopyRequest, TaskRequest } from "../domain/Task.ts"
import * as Count from "./Count.ts"
import * as Input from "./Input.ts"
import * as Lines from "./Lines.ts"
import * as ProgressBar from "./ProgressBar.ts"
import type { Client, Screen } from "./Service.ts"
import * as Trouble from "./Trouble.ts"

/** What one request holds: as many tasks as the service takes, and a body that it takes as it comes. */
const most = { tasks: limits.bulk, bytes: 1024 * 1024 }

/** The service keeps idempotency keys for a day; from an older place nobody may go on. */
const goodFor = 23 * 60 * 60 * 1000

/** A service that is starting again is waited for. */
const patience = { schedule: Schedule.spaced("1 second"), times: 60, while: Patience.isPassing }

/** How far a file has been submitted: kept beside it until all of it is. */
const Place = Schema.fromJsonString(
  Schema.Struct({ sha256: Schema.String, begun: Schema.Int, line: Schema.Int, tasks: Schema.Int })
)
type Place = typeof Place.Type
const readPlace = Schema.decodeUnknownEffect(Place)
const placeText = Schema.encodeSync(Place)

const strictly = { errors: "all", onExcessProperty: "error" } as const
const decodeTask = Schema.decodeUnknownResult(TaskRequest, strictly)
const decodeCopy = Schema.decodeUnknownResult(TaskCopyRequest, strictly)

/** The request that a line makes, or what is wrong with it. */
const requestOf = Input.json((input): Result.Result<TaskRequest | TaskCopyRequest, Schema.SchemaError> =>
  typeof input === "object" && input !== null && "copy_of" in input ? decodeCopy(input) : decodeTask(input)
)

/** Wrong lines that are told. */
const mostTold = 20

const encoder = new TextEncoder()

/** Looks at every line before anything is sent. */
const survey = Effect.fnUntraced(function* (file: string) {
  const digest = yield* Digest
  let tasks = 0
  let sum = ""
  let wrong = 0
  const told: Array<string> = []
  yield* Lines.forEachChunk(
    file,
    most,
    Effect.fnUntraced(function* (chunk) {
      for (const { number, text } of chunk) {
        const request = requestOf(text)
        if (Result.isSuccess(request)) continue
        if (wrong++ < mostTold) told.push(`${file}, line ${number}:`, ...request.failure.map((line) => `  ${line}`))
      }
      tasks += chunk.length
      sum = yield* digest.digestHex(sha256, encoder.encode([sum, ...chunk.map(({ text }) => text)].join("\n")))
    })
  )
  if (wrong > mostTold) told.push(`and ${Count.of(wrong - mostTold, "more line")}`)
  if (wrong > 0) return yield* Trouble.ended("usage", ...told, "Nothing of the file has been submitted")
  return { tasks, sum }
})

/** Where an interrupted submit of the same file stands, or the beginning. */
const placeOf = Effect.fnUntraced(function* (file: string, path: string, sum: string) {
  const fs = yield* FileSystem.FileSystem
  const now = yield* Clock.currentTimeMillis
  if (!(yield* fs.exists(path))) return { sha256: sum, begun: now, line: 0, tasks: 0 }
  const place = yield* Effect.mapError(readPlace(yield* fs.readFileString(path)), () =>
    Trouble.ended("usage", `${path} is not what venom submit leaves there: move it away to submit ${file}`)
  )
  const story = `${path} tells of a submit that was interrupted after line ${place.line}`
  if (place.sha256 !== sum) {
    return yield* Trouble.ended(
      "usage",
      `${story}, and ${file} has changed since`,
      `Put it back as it was, or delete ${path} to submit all of it as new tasks`
    )
  }
  if (now - place.begun > goodFor) {
    return yield* Trouble.ended(
      "usage",
      `${story} a day ago; the service no longer knows whether the ${most.tasks} lines after it were submitted`,
      `Look with 'venom list', then delete ${path} and submit what is missing`
    )
  }
  return place
})

/**
 * Submits a file of tasks in chunks, each all or none. The place is kept beside the file: an interrupted submit goes on
 * there, and a chunk whose answer was lost is sent again with its key, so that no task is made twice.
 */
export const run = Effect.fnUntraced(function* (client: Client, screen: Screen, file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = `${file}.place`
  const { sum, tasks } = yield* survey(file)
  let place: Place = yield* placeOf(file, path, sum)
  const from = place.tasks
  const keep = Effect.suspend(() =>
    Effect.andThen(fs.writeFileString(`${path}.tmp`, placeText(place)), fs.rename(`${path}.tmp`, path))
  )
  yield* keep
  const bar = yield* ProgressBar.make("Submitting", { total: tasks, from, columns: screen.columns })
  yield* Lines.forEachChunk(
    file,
    { ...most, after: place.line },
    Effect.fnUntraced(function* (chunk) {
      const requests = yield* Effect.fromResult(
        Result.mapError(Result.all(chunk.map(({ text }) => requestOf(text))), () =>
          Trouble.ended("usage", `${file} has changed while it was submitted`)
        )
      )
      const key = `${sum.slice(0, 32)}-${place.begun}-${place.line}`
      const { body } = yield* client.tasks
        .submitAll({ payload: { tasks: requests }, headers: { "idempotency-key": key } })
        .pipe(Effect.retry(patience))
      place = { ...place, line: chunk.at(-1)?.number ?? place.line, tasks: place.tasks + chunk.length }
      yield* keep
      if (!screen.asJson && !screen.isTerminal) {
        yield* screen.write(`${body.map(({ taskId }) => taskId).join("\n")}\n`)
      }
      yield* bar.to(place.tasks)
    })
  ).pipe(Effect.ensuring(bar.clear))
  yield* fs.remove(path)
  const submitted = tasks - from
  if (screen.asJson || screen.isTerminal) {
    yield* screen.tell({ tasks, submitted, submitted_before: from }, () => [
      `${Count.of(submitted, "task")} submitted${from === 0 ? "" : `, ${from.toLocaleString("en")} before`}`
    ])
  }
})
