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

/** A database in place of a data directory: with the postgres store that of the service, unless one is given. */
export const database = (environment: Readonly<Record<string, string | undefined>>) => {
  const url = Flag.String(Table.flag("databaseUrl")).pipe(
    Flag.withMetavar(`<${Table.table.databaseUrl.takes}>`),
    Flag.withDescription(
      `In place of a data directory: a PostgreSQL database [${Table.variable("databaseUrl")}, where ${Table.variable("store")} is postgres]`
    )
  )
  const usual = environment[Table.variable("store")] === "postgres" ? environment[Table.variable("databaseUrl")] : ""
  return Flag.withDefault(url, usual ?? "")
}

/** Where a state is kept. */
export type Place =
  | { readonly _tag: "Directory"; readonly path: string }
  | { readonly _tag: "Database"; readonly url: string }

export const placeOf = (given: { readonly directory: string; readonly database: string }): Place =>
  given.database === "" ? { _tag: "Directory", path: given.directory } : { _tag: "Database", url: given.database }
