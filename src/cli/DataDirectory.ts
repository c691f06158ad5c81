import { Flag } from "effect/cli"
import * as Table from "./SettingsTable.ts"

/** `--data-dir`, with the variable and the default that `venom serve` has. */
export const flag = (environment: Readonly<Record<string, string | undefined>>) =>
  Flag.String(Table.flag("dataDir")).pipe(
    Flag.withMetavar(`<${Table.table.dataDir.takes}>`),
    Flag.withDescription(
      `${Table.table.dataDir.about} [${Table.variable("dataDir")}, default: ${Table.table.dataDir.default}]`
    ),
    Flag.withDefault(environment[Table.variable("dataDir")] || Table.table.dataDir.default)
  )
