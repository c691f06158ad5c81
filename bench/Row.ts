import type { Arena } from "./Arena.ts"
import type { ContenderKey } from "./systems/Contenders.ts"
import type { Values } from "./Values.ts"

export interface Column {
  readonly unit: string
  readonly better: "more" | "less"
}

/** What Venom shall reach in a column: against rivals of the same run, or as a figure. */
export type Reach = {
  readonly column: string
  readonly says: string
} & ({ readonly against: Rival; readonly times: number } | { readonly figure: number })

/** The best of its kind in the column, or in the column that names the best. */
export type Rival =
  | { readonly of: "durable peers" | "peers" | "limit" | "graphileWorker" }
  | { readonly of: "durable peers"; readonly bestIn: string }

/** One line of the table. */
export interface Row {
  readonly name: string
  readonly title: string
  /** What is measured, and how. */
  readonly how: string
  readonly contenders: ReadonlyArray<ContenderKey>
  readonly columns: Readonly<Record<string, Column>>
  readonly reach: ReadonlyArray<Reach>
  /** Whose figures are held to `reach`; Venom's, where nobody is named. */
  readonly subject?: ContenderKey
  readonly measure: (bench: Bench, contender: ContenderKey) => Promise<Values>
}

export interface Bench {
  /** Tiny sizes: to see that it runs. */
  readonly quick: boolean
  /** A fresh place, or a copy of one that was left. Closed after the measurement. */
  readonly arena: (contender: ContenderKey, from?: string) => Promise<Arena>
  /** A directory made once in a run and kept to its end. */
  readonly prepared: (name: string, make: () => Promise<string>) => Promise<string>
  /** The directory of an arena that is not closed: for `prepared`. */
  readonly keep: (arena: Arena) => string
}
