import type { Reach, Rival, Row } from "../Row.ts"
import { type Contender, type ContenderKey, contenders, peers } from "../systems/Contenders.ts"
import { median, type Values } from "../Values.ts"

export interface Measured {
  readonly rounds: ReadonlyArray<Values>
  /** Why there is nothing, or nothing more. */
  readonly problem: string | undefined
}

/** A row as it stands in the result files. */
export interface RowResult {
  readonly row: string
  readonly title: string
  readonly how: string
  readonly date: string
  readonly rounds: number
  /** How busy the machine was before. */
  readonly load: number
  readonly columns: Row["columns"]
  readonly contenders: ReadonlyArray<{
    readonly key: ContenderKey
    readonly name: string
    readonly durable: boolean
    readonly settings: string
    readonly medians: Values
    readonly rounds: ReadonlyArray<Values>
    readonly problem?: string
  }>
  readonly reach: ReadonlyArray<ReachResult>
}

export interface ReachResult {
  readonly column: string
  readonly says: string
  /** Venom's figure, and the rival's with what it is of Venom's; absent where one is missing. */
  readonly venom: number
  readonly rival?: { readonly name: string; readonly figure: number; readonly ratio: number }
  readonly isMet: boolean
}

export const of = (
  row: Row,
  measured: ReadonlyMap<ContenderKey, Measured>,
  run: Pick<RowResult, "rounds" | "load">
): RowResult => {
  const columns = Object.keys(row.columns)
  const medians = new Map(
    Array.from(measured, ([key, { rounds }]): readonly [ContenderKey, Values] => [key, mediansOf(columns, rounds)])
  )
  return {
    row: row.name,
    title: row.title,
    how: row.how,
    date: new Date().toISOString(),
    ...run,
    columns: row.columns,
    contenders: Array.from(measured, ([key, { problem, rounds }]) => {
      const { durable, name, settings }: Contender = contenders[key]
      return {
        key,
        name,
        durable,
        settings,
        medians: medians.get(key) ?? {},
        rounds,
        ...(problem === undefined ? {} : { problem })
      }
    }),
    reach: row.reach.flatMap((reach) => reached(row, reach, medians))
  }
}

const mediansOf = (columns: ReadonlyArray<string>, rounds: ReadonlyArray<Values>): Values =>
  rounds.length === 0
    ? {}
    : Object.fromEntries(
        columns.map((column) => [column, median(rounds.map((values) => values[column] ?? Number.NaN))])
      )

const reached = (row: Row, reach: Reach, medians: ReadonlyMap<ContenderKey, Values>): ReadonlyArray<ReachResult> => {
  const better = row.columns[reach.column]?.better
  const venom = medians.get("venom")?.[reach.column]
  if (better === undefined || venom === undefined) return []
  const holds = (bound: number) => (better === "more" ? venom >= bound : venom <= bound)
  const said = { column: reach.column, says: reach.says, venom }
  if ("figure" in reach) return [{ ...said, isMet: holds(reach.figure) }]
  const key = best(row, reach.against, reach.column, medians)
  const figure = key === undefined ? undefined : medians.get(key)?.[reach.column]
  if (key === undefined || figure === undefined) return []
  return [
    {
      ...said,
      rival: { name: contenders[key].name, figure, ratio: venom / figure },
      isMet: holds(figure * reach.times)
    }
  ]
}

const best = (
  row: Row,
  rival: Rival,
  column: string,
  medians: ReadonlyMap<ContenderKey, Values>
): ContenderKey | undefined => {
  if (rival.of === "limit" || rival.of === "graphileWorker") return rival.of
  const by = "bestIn" in rival ? rival.bestIn : column
  const sign = row.columns[by]?.better === "more" ? -1 : 1
  return peers
    .filter((key) => medians.get(key)?.[by] !== undefined && (rival.of === "peers" || contenders[key].durable))
    .toSorted((a, b) => sign * ((medians.get(a)?.[by] ?? 0) - (medians.get(b)?.[by] ?? 0)))[0]
}
