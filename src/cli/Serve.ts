import { Effect, Record } from "effect"
import { Command, Flag } from "effect/cli"
import * as Settings from "./Settings.ts"
import * as Table from "./SettingsTable.ts"
import * as Text from "./SettingText.ts"

const raw = (key: Table.Key, row: Table.Row) =>
  row.schema === Text.onOff
    ? Flag.map(Flag.Boolean(Table.flag(key)), String)
    : Flag.withMetavar(Flag.String(Table.flag(key)), `<${row.takes}>`)

const flags = Record.map(Table.table, (row: Table.Row, key) =>
  raw(key, row).pipe(
    Flag.withDescription(`${row.about} [${Table.variable(key)}, default: ${row.absent ?? row.default}]`),
    Flag.optional
  )
)

/** `venom serve`: reads the settings, then hands them to what serves. */
export const command = <E, R>(options: {
  readonly environment: Settings.Given["environment"]
  readonly serve: (settings: Settings.Settings, unknownVariables: ReadonlyArray<string>) => Effect.Effect<void, E, R>
}) =>
  Command.make(
    "serve",
    flags,
    Effect.fnUntraced(function* (given) {
      const written = { environment: options.environment, flags: Record.getSomes(given) }
      const settings = yield* Effect.fromResult(Settings.resolve(written))
      yield* options.serve(settings, Settings.unknownVariables(written))
    })
  ).pipe(Command.withDescription("Serves the HTTP API and runs the tasks, until it is asked to stop"))
