import type { Instant } from "../domain/Task.ts"

export type StorageHealth =
  | { readonly _tag: "Writable" }
  | { readonly _tag: "NotWritable"; readonly reason: string; readonly since: Instant }
  /** Only new tasks are refused. */
  | { readonly _tag: "Full"; readonly reason: string }

/** What was found at the start. */
export interface Recovered {
  readonly at: Instant
  /** How long it took, in milliseconds. */
  readonly took: number
  readonly tasks: number
  /** Changes since the last dump. */
  readonly records: number
  readonly damagedBytes: number
}

/** What holds the state, for those who look after it. */
export interface Storage {
  /** In one word. */
  readonly kind: string
  /** What takes room there. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly bytes: number }>
  readonly recovered: Recovered | undefined
}
