import process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, FileSystem, Option, type PlatformError, Schema } from "effect"
import { CliError } from "effect/cli"
import { DataDirectoryError } from "./adapters/file/Disk.ts"
import type * as Doctor from "./adapters/file/Doctor.ts"
import type * as DatabaseTransfer from "./adapters/postgres/Transfer.ts"
import type { Place } from "./cli/DataDirectory.ts"
import type * as Transfer from "./adapters/file/Transfer.ts"
import * as FileWords from "./cli/FileWords.ts"
import * as Trouble from "./cli/Trouble.ts"
import * as Venom from "./cli/Venom.ts"
import type * as Service from "./serve.ts"
import * as Signals from "./host/Signals.ts"
import { version } from "./host/Version.ts"

const stopped = 0
const failed = 1
const badUsage = 2
const unreadable = 3
/** As a shell says it of what Ctrl-C has ended. */
const interrupted = 130

let isServing = false

/** Loaded only when it is needed: it is most of Venom. */
const serve: typeof Service.serve = (settings, unknownVariables) =>
  Effect.flatMap(
    Effect.promise(() => {
      isServing = true
      return import("./serve.ts")
    }),
    (service) => service.serve(settings, unknownVariables)
  )

/** Asks the doctor. */
const examined = <A>(ask: (doctor: typeof Doctor) => Ask<A>) =>
  answered(
    Effect.map(
      Effect.promise(() => import("./adapters/file/Doctor.ts")),
      ask
    )
  )

/** Carries a state out of a directory or a database, or into one. */
const carried = (asks: {
  readonly directory: (transfer: typeof Transfer) => Ask<Transfer.Carried>
  readonly database: (
    transfer: typeof Transfer,
    database: typeof DatabaseTransfer,
    url: string
  ) => Ask<Transfer.Carried>
}) => {
  const transfer = Effect.promise(() => import("./adapters/file/Transfer.ts"))
  return (place: Place) => {
    if (place._tag === "Directory") return answered(Effect.map(transfer, asks.directory))(place.path)
    const database = Effect.promise(() => import("./adapters/postgres/Transfer.ts"))
    return answered(Effect.zipWith(transfer, database, (files, tables) => asks.database(files, tables, place.url)))()
  }
}

const answered =
  <A>(asked: Effect.Effect<Ask<A>>) =>
  (directory = "") =>
    Effect.gen(function* () {
      const ask = yield* asked
      return yield* ask(yield* FileSystem.FileSystem, directory)
    }).pipe(Effect.catchTag("PlatformError", (error) => Effect.fail(inWords(error, directory))))

/** What cannot be read or written: the data directory, something in it, or the file of an export. */
const inWords = (error: PlatformError.PlatformError, directory: string): DataDirectoryError | Unusable => {
  const path = FileWords.pathOf(error)
  if (path === directory && error.reason._tag === "NotFound") {
    const reason = "there is none; say where it is: --data-dir or VENOM_DATA_DIR"
    return new DataDirectoryError({ directory, reason })
  }
  if (directory === "" || (path !== undefined && !path.startsWith(directory))) {
    return new Unusable({ words: FileWords.of(error) })
  }
  return new DataDirectoryError({
    directory,
    reason: path === directory ? FileWords.reasonOf(error) : FileWords.of(error)
  })
}

/** Neither the data directory nor anything in it. */
class Unusable extends Schema.TaggedError<Unusable>()("Unusable", { words: Schema.String }) {
  override get message() {
    return this.words
  }
}

type Ask<A> = (
  fs: FileSystem.FileSystem,
  directory: string
) => Effect.Effect<A, Transfer.Unfit | Unusable | PlatformError.PlatformError>

const unfit = <A>(work: Effect.Effect<A, { readonly message: string }>) =>
  Effect.mapError(work, ({ message }) => new Unusable({ words: `The database cannot be used: ${message}` }))

/** Asks for what keeps keys. */
const keyring = Effect.promise(() => import("./adapters/keys/KeyFiles.ts"))

/** Succeeds with the exit code. */
const program = Venom.run({
  version,
  environment: process.env,
  serve,
  physician: { examine: examined(({ examine }) => examine), repair: examined(({ repair }) => repair) },
  keyring: {
    list: (directory) =>
      Effect.gen(function* () {
        const found = yield* Effect.flatMap(keyring, ({ list }) => list(directory))
        const [broken] = Option.isSome(found) ? found.value.broken : []
        return broken === undefined
          ? Option.map(found, ({ keys }) => keys)
          : yield* Trouble.ended("failed", broken.error.message)
      }),
    create: (directory, wish) => Effect.flatMap(keyring, ({ create }) => create(directory, wish)),
    revoke: (directory, id) => Effect.flatMap(keyring, ({ revoke }) => revoke(directory, id))
  },
  dump: examined(({ dump }) => dump),
  exportTo: (path, tell) =>
    carried({
      directory: ({ exportTo }) => exportTo(path, tell),
      database: ({ exportState }, { read }, url) => exportState(unfit(read(url)))(path, tell)
    }),
  importFrom: (path, tell) =>
    carried({
      directory: ({ importFrom }) => importFrom(path, tell),
      database: ({ importState }, { fill }, url) => importState((state) => unfit(fill(url, state)))(path, tell)
    })
}).pipe(
  Effect.as(stopped),
  Effect.catchTags({
    SettingsError: ({ problems }) =>
      Effect.as(Console.error(problems.map((problem) => `venom serve: ${problem}`).join("\n")), badUsage),
    DataDirectoryError: ({ message }) => Effect.as(Console.error(message), unreadable),
    ExportFileError: ({ message }) => Effect.as(Console.error(message), unreadable),
    Unusable: ({ message }) => Effect.as(Console.error(message), unreadable),
    // it has been told
    Ended: ({ exitCode }) => Effect.succeed(exitCode),
    // it has been logged
    ServiceFailed: ({ exitCode }) => Effect.succeed(exitCode)
  }),
  // it has been told
  Effect.catchIf(CliError.isCliError, () => Effect.succeed(badUsage)),
  Effect.catchDefect((defect) => Effect.as(Console.error(Cause.pretty(Cause.die(defect))), failed)),
  Effect.provide(NodeServices.layer)
)

// whoever reads the answer has had enough: `venom list --all | head`
process.stdout.on("error", (error) => {
  if ("code" in error && error.code === "EPIPE") process.exit(stopped)
})

const keepAlive = setInterval(() => {}, 2 ** 31 - 1)
let asked = false
const fiber = Effect.runFork(program)

Signals.onStop(() => {
  asked = true
  fiber.interruptUnsafe(fiber.id)
})
fiber.addObserver((exit) => {
  clearInterval(keepAlive)
  const code = Exit.isSuccess(exit) ? exit.value : asked ? (isServing ? stopped : interrupted) : failed
  // what was asked for may still be on its way to stdout
  if (asked || code !== 0) process.exit(code)
})
