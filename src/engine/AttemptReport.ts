import { Clock, Effect, Fiber, type Scope } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import * as Progress from "../domain/Progress.ts"
import { type Instant, limits, type Progress as TaskProgress, type VenomTask } from "../domain/Task.ts"
import * as TaskLog from "../domain/TaskLog.ts"
import type { StateRepository } from "../ports/StateRepository.ts"
import type { AttemptHandle } from "../ports/TaskRunner.ts"
import type { Events } from "./Events.ts"

/** Lines of a talkative attempt reach the store together, at most this often; its progress those who follow it. */
const writeEvery = "100 millis"

/** Progress alone reaches the store at most this often. In nanoseconds. */
const progressEvery = 1_000_000_000n

/** What was said and is not in the task yet: the newest lines, how many more were said before them, the newest progress. */
interface Unwritten {
  readonly lines: ReadonlyArray<string>
  readonly lost: number
  readonly progress: TaskProgress | undefined
}

/**
 * What an attempt says of itself, on its way into the task: written soon after the first word and again while
 * more comes, the rest together with the verdict. The fiber that writes ends with `close`, or with `scope`.
 */
export class AttemptReport {
  readonly #repository: StateRepository["Service"]
  readonly #events: Events["Service"]
  readonly #claimed: VenomTask
  readonly #scope: Scope.Scope
  #lines: Array<string> = []
  #lost = 0
  /** Not in the task yet. */
  #progress: TaskProgress | undefined
  #lastProgress: TaskProgress | undefined
  /** Neither on its way into the task nor told to those who follow it. */
  #untold = false
  #progressWritten: bigint | undefined
  #closed = false
  #writing = false
  #writer: Fiber.Fiber<void> | undefined

  constructor(
    services: { readonly repository: StateRepository["Service"]; readonly events: Events["Service"] },
    claimed: VenomTask,
    scope: Scope.Scope
  ) {
    this.#repository = services.repository
    this.#events = services.events
    this.#claimed = claimed
    this.#scope = scope
  }

  readonly handle: AttemptHandle = {
    log: (text) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (this.#closed) return Effect.void
        this.#keep([...this.#lines, TaskLog.line(now, text)])
        return this.#write()
      }),
    progress: (percent, message) =>
      Effect.suspend(() => {
        const progress = Progress.make(percent, message)
        if (this.#closed || (this.#lastProgress !== undefined && Progress.isSame(progress, this.#lastProgress))) {
          return Effect.void
        }
        this.#lastProgress = progress
        this.#progress = progress
        this.#untold = true
        return this.#write()
      })
  }

  /** Ends the writing, and gives the verdict what is not yet written to carry. */
  readonly close = (earned: Lifecycle.Transition, now: Instant): Effect.Effect<Lifecycle.Transition> =>
    Effect.suspend(() => {
      this.#closed = true
      const writer = this.#writer
      return Effect.map(writer === undefined ? Effect.void : Fiber.interrupt(writer), () => {
        const said = transition(this.#take(), now)
        return said === undefined ? earned : Lifecycle.andThen(said, earned)
      })
    })

  #write(): Effect.Effect<void> {
    if (this.#writing) return Effect.void
    this.#writing = true
    return Effect.map(Effect.forkIn(this.#writeWhileTalking(), this.#scope), (writer) => {
      this.#writer = writer
    })
  }

  #writeWhileTalking(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (this.#lines.length > 0 || this.#progress !== undefined) {
        const now = yield* Clock.currentTimeNanos
        const last = this.#progressWritten
        if (this.#lines.length > 0 || last === undefined || now - last >= progressEvery) yield* this.#writeAll(now)
        if (this.#untold && this.#progress !== undefined) {
          this.#untold = false
          this.#events.tellProgress(this.#claimed.id, this.#progress)
        }
        yield* Effect.sleep(writeEvery)
      }
      this.#writing = false
    })
  }

  #writeAll(nanos: bigint): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const unwritten = this.#take()
      const said = transition(unwritten, now)
      if (said === undefined) return Effect.void
      if (unwritten.progress !== undefined) this.#progressWritten = nanos
      return this.#repository.update(this.#claimed.id, Lifecycle.heldBy(this.#claimed, said)).pipe(
        Effect.catchTags({
          // the claim is lost: nobody will read this
          IllegalTransition: () => Effect.void,
          TaskNotFound: () => Effect.void
        }),
        // not written: it goes with what comes next, or with the verdict
        Effect.catchCause(() => Effect.sync(() => this.#putBack(unwritten)))
      )
    }).pipe(Effect.uninterruptible)
  }

  #putBack({ lines, lost, progress }: Unwritten): void {
    this.#lost += lost
    this.#keep([...lines, ...this.#lines])
    if (progress === undefined || this.#progress !== undefined) return
    this.#progress = progress
    this.#untold = true
  }

  #keep(lines: Array<string>): void {
    this.#lost += Math.max(0, lines.length - limits.logLines)
    this.#lines = lines.slice(-limits.logLines)
  }

  #take(): Unwritten {
    const taken = { lines: this.#lines, lost: this.#lost, progress: this.#progress }
    this.#lines = []
    this.#lost = 0
    this.#progress = undefined
    this.#untold = false
    return taken
  }
}

const transition = ({ lines, lost, progress }: Unwritten, now: Instant): Lifecycle.Transition | undefined => {
  const told = progress === undefined ? undefined : Lifecycle.progress(progress, now)
  if (lines.length === 0) return told
  const logged = Lifecycle.log(lines, now, lost)
  return told === undefined ? logged : Lifecycle.andThen(logged, told)
}
