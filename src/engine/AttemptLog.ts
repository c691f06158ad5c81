import { Clock, Effect, Fiber, type Scope } from "effect"
import * as Lifecycle from "../domain/Lifecycle.ts"
import { limits, type VenomTask } from "../domain/Task.ts"
import * as TaskLog from "../domain/TaskLog.ts"
import type { StateRepository } from "../ports/StateRepository.ts"
import type { AttemptHandle } from "../ports/TaskRunner.ts"

/** Lines of a talkative attempt reach the store together, at most this often. */
const writeEvery = "100 millis"

/** What was said and is not in the task yet: the newest lines, and how many more were said before them. */
interface Unwritten {
  readonly lines: ReadonlyArray<string>
  readonly lost: number
}

/**
 * What an attempt says, on its way to the task's log: written soon after the first line and again while
 * more comes, the rest together with the verdict. The fiber that writes ends with `close`, or with `scope`.
 */
export class AttemptLog {
  readonly #repository: StateRepository["Service"]
  readonly #claimed: VenomTask
  readonly #scope: Scope.Scope
  #lines: Array<string> = []
  #lost = 0
  #closed = false
  #writing = false
  #writer: Fiber.Fiber<void> | undefined

  constructor(repository: StateRepository["Service"], claimed: VenomTask, scope: Scope.Scope) {
    this.#repository = repository
    this.#claimed = claimed
    this.#scope = scope
  }

  readonly handle: AttemptHandle = {
    log: (text) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        if (this.#closed) return Effect.void
        this.#keep([...this.#lines, TaskLog.line(now, text)])
        if (this.#writing) return Effect.void
        this.#writing = true
        return Effect.map(Effect.forkIn(this.#writeWhileTalking(), this.#scope), (writer) => {
          this.#writer = writer
        })
      })
  }

  /** Ends the writing and gives what is not yet written, for the verdict to carry. */
  readonly close: Effect.Effect<Unwritten> = Effect.suspend(() => {
    this.#closed = true
    return this.#writer === undefined
      ? Effect.succeed(this.#take())
      : Effect.map(Fiber.interrupt(this.#writer), () => this.#take())
  })

  #writeWhileTalking(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (this.#lines.length > 0) {
        yield* this.#write()
        yield* Effect.sleep(writeEvery)
      }
      this.#writing = false
    })
  }

  #write(): Effect.Effect<void> {
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { lines, lost } = this.#take()
      const said = Lifecycle.heldBy(this.#claimed, Lifecycle.log(lines, now, lost))
      return this.#repository.update(this.#claimed.id, said).pipe(
        Effect.catchTags({
          // the claim is lost: nobody will read these lines
          IllegalTransition: () => Effect.void,
          TaskNotFound: () => Effect.void
        }),
        // not written: they go with the next lines, or with the verdict
        Effect.catchCause(() =>
          Effect.sync(() => {
            this.#lost += lost
            this.#keep([...lines, ...this.#lines])
          })
        )
      )
    }).pipe(Effect.uninterruptible)
  }

  #keep(lines: Array<string>): void {
    this.#lost += Math.max(0, lines.length - limits.logLines)
    this.#lines = lines.slice(-limits.logLines)
  }

  #take(): Unwritten {
    const taken = { lines: this.#lines, lost: this.#lost }
    this.#lines = []
    this.#lost = 0
    return taken
  }
}
