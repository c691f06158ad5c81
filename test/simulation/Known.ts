import type { TaskRequest, VenomTask } from "../../src/domain/Task.ts"

/** What the outside knows of one submit and of the task that came of it. */
export interface Known {
  readonly request: TaskRequest
  /** Those it was submitted with, all or none. */
  together: ReadonlyArray<string>
  submit: "under way" | "taken" | "refused" | "unknown" | "answered with another"
  /** Refused, and the store was whole again after that: it can never turn up. */
  void: boolean
  cancelAsked: boolean
  retryAsked: boolean
  /** As it was last visible. */
  last: VenomTask | undefined
  /** The last visible state that a crash must not take: all but a claim. */
  safe: VenomTask | undefined
  /** Where syncs come late: what became visible in this life, and when. */
  recent: ReadonlyArray<{ readonly at: number; readonly task: VenomTask }>
  /** The last state that an attempt began with. */
  begun: VenomTask | undefined
  /** No longer visible, since it was finished for long enough; sure when a crash must not bring it back. */
  gone: "no" | { readonly at: number; readonly sure: boolean }
  /** It may be on its way to be gone. */
  mayGo: boolean
}
