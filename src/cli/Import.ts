import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import * as DataDirectory from "./DataDirectory.ts"
import * as Export from "./Export.ts"
import * as ProgressBar from "./ProgressBar.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"

/** `venom import`: a data directory made of an export. */
export const command = <E, R>(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly importFrom: (
    path: string,
    tell: ProgressBar.Tell
  ) => (place: DataDirectory.Place) => Effect.Effect<Export.Carried, E, R>
}) =>
  Command.make(
    "import",
    {
      file: Export.file,
      directory: DataDirectory.flag(options.environment),
      database: DataDirectory.database(options.environment),
      json: Service.jsonFlag
    },
    Effect.fnUntraced(function* ({ file, json, ...given }) {
      const { columns } = yield* Service.screen(json)
      const carried = yield* ProgressBar.during(columns, (tell) =>
        options.importFrom(file, tell)(DataDirectory.placeOf(given))
      )
      yield* Console.log(json ? SafeText.json(carried) : Export.told("imported", carried).join("\n"))
    })
  ).pipe(
    Command.withDescription(
      "Makes a data directory of an export, or fills a database, every line checked; refuses one that holds a state"
    )
  )
