import type { TaskRequest, VenomTask } from "../../src/domain/Task.ts"
import { brief, illegal, json, same } from "./TaskChecks.ts"

/** How the life before ended, and so what it may have lost. */
export type Ending = "power" | "kill" | "stop"

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
  /** And not refused. */
  removeAsked: boolean
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
  /** Somebody has deleted a file in which it may have stood, and no start has found it all since. */
  exposed: boolean
}

/** A submit begins. */
export const submitted = (key: string, request: TaskRequest): Known => ({
  request,
  together: [key],
  submit: "under way",
  void: false,
  cancelAsked: false,
  retryAsked: false,
  removeAsked: false,
  last: undefined,
  safe: undefined,
  recent: [],
  begun: undefined,
  gone: "no",
  mayGo: false,
  exposed: false
})

/** What is wrong with what the next life found of a task. */
export const survival = function* (
  key: string,
  known: Known,
  task: VenomTask | undefined,
  ending: Ending
): Generator<string> {
  const { begun, gone, last, mayGo, retryAsked, safe } = known
  if (task !== undefined && gone !== "no" && (gone.sure || ending !== "power"))
    yield `${key} was gone and is back: ${brief(task)}`
  if (task === undefined && (gone !== "no" || mayGo)) return
  const floor = ending === "power" ? safe : last
  if (floor === undefined) return
  if (ending !== "power" && begun !== undefined && task !== undefined && task.revision < begun.revision) {
    return yield `${key} ran as ${brief(begun)}, and that is forgotten: ${brief(task)}`
  }
  if (task === undefined) return yield `${key} is lost, it was ${brief(floor)}`
  if (task.revision < floor.revision) return yield `${key} went back from ${brief(floor)} to ${brief(task)}`
  for (const seen of [safe, last]) {
    if (seen?.revision === task.revision && !same(seen, task)) {
      yield `${key} was ${json(seen)} and came back as ${json(task)}`
    }
  }
  yield* illegal(floor, task, retryAsked)
}
