import type { VenomTask } from "../../src/domain/Task.ts"

/** What is due, and nothing holds it back, is claimed within this: the engine waits a second after storage refused it. */
const claimedWithin = 5000

const isDue = ({ deadline, runAt, status }: VenomTask, wallClock: number): boolean =>
  status === "PENDING" && runAt <= wallClock && (deadline ?? Number.POSITIVE_INFINITY) > wallClock

/** Looks for a task that waits for a claim without a cause. */
export class DueTasks {
  #since: number | undefined

  /** Called at every moment; gives one that waits too long. */
  sees(
    tasks: ReadonlyArray<VenomTask>,
    { mayClaim, now, wallClock }: { readonly mayClaim: boolean; readonly now: number; readonly wallClock: number }
  ): VenomTask | undefined {
    const waiting = mayClaim ? tasks.find((task) => isDue(task, wallClock)) : undefined
    if (waiting === undefined) this.#since = undefined
    else this.#since ??= now
    return now - (this.#since ?? now) > claimedWithin ? waiting : undefined
  }
}
