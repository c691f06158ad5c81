import { Console, Effect, FileSystem } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Count from "./Count.ts"
import * as DataDirectory from "./DataDirectory.ts"
import * as Pages from "./Pages.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as TaskView from "./TaskView.ts"
import * as Trouble from "./Trouble.ts"

/** What has been carried. */
export interface Carried {
  readonly tasks: number
  readonly entries: number
  readonly bytes: number
  readonly sha256: string
}

export const file = Argument.String("file").pipe(Argument.withDescription("The file of the export"))

export const told = (verb: string, { bytes, entries, sha256, tasks }: Carried): ReadonlyArray<string> => [
  `${Count.of(tasks, "task")} and ${Count.of(entries, "entry", "entries")} ${verb}, ${Count.of(bytes, "byte")}`,
  `sha256 ${sha256}`
]

const fromService = Effect.fnUntraced(function* (client: Service.Client, screen: Service.Screen, path: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* fs.exists(path))
    return yield* Trouble.ended("usage", `${path} is there already: nothing is written over it`)
  const { counts } = yield* client.queue.state()
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const bar = yield* ProgressBar.make("Exporting", { total, columns: screen.columns })
  const temporary = `${path}.tmp`
  let tasks = 0
  const written = Effect.gen(function* () {
    const out = yield* fs.open(temporary, { flag: "w", mode: 0o600 })
    yield* Pages.each(
      client,
      { filter: {}, most: Number.POSITIVE_INFINITY, after: undefined },
      Effect.fnUntraced(function* (page) {
        const lines = page.map((task) => `${SafeText.json(TaskView.toJson(task))}\n`).join("")
        yield* out.writeAll(new TextEncoder().encode(lines))
        tasks += page.length
        yield* bar.to(tasks)
      })
    )
    yield* out.sync
  })
  yield* Effect.scoped(written).pipe(
    Effect.ensuring(bar.clear),
    Effect.andThen(fs.rename(temporary, path)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
  )
  yield* screen.tell({ tasks }, () => [`${Count.of(tasks, "task")} exported`])
})

/** `venom export`: a data directory as one file that `venom import` takes, or the tasks of a service. */
export const command = <E, R>(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly exportTo: (
    path: string,
    tell: ProgressBar.Tell
  ) => (place: DataDirectory.Place) => Effect.Effect<Carried, E, R>
}) =>
  Command.make(
    "export",
    {
      file,
      directory: DataDirectory.flag(options.environment),
      database: DataDirectory.database(options.environment),
      ...Service.flags,
      service: Flag.Boolean("service").pipe(
        Flag.withDescription(
          "The tasks of a running service, by HTTP: a line of JSON each, newest first; to be read, not imported"
        ),
        Flag.withDefault(false)
      )
    },
    Effect.fnUntraced(function* (given) {
      if (given.service) {
        return yield* Service.use(given, (client, screen) => fromService(client, screen, given.file))
      }
      const { columns } = yield* Service.screen(given.json)
      const carried = yield* ProgressBar.during(columns, (tell) =>
        options.exportTo(given.file, tell)(DataDirectory.placeOf(given))
      )
      yield* Console.log(given.json ? SafeText.json(carried) : told("exported", carried).join("\n"))
    })
  ).pipe(
    Command.withDescription("Writes the whole state of a data directory, or a database, into one file, and checks it"),
    Command.withExamples([
      { command: "venom export venom.export", description: "All of the data directory, for venom import" },
      { command: "venom export tasks.jsonl --service", description: "The tasks of a running service" }
    ])
  )
