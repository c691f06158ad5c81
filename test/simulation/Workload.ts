import { Effect, Layer } from "effect"
import type { TaskRequest, VenomTask } from "../../src/domain/Task.ts"
import { permanent, retryable, type TaskFailure } from "../../src/domain/TaskError.ts"
import { type AttemptHandle, TaskRunner } from "../../src/ports/TaskRunner.ts"
import { Chance } from "./Chance.ts"

/** What the work of one attempt comes to. A function of seed, task and attempt: whoever runs it, it is the same. */
export interface Outcome {
  readonly ends: "completes" | "fails" | "fails for good" | "dies" | "never ends"
  readonly millis: number
  readonly lines: number
  /** Told to stop, it goes on to its end. */
  readonly isDeaf: boolean
}

export const types = ["mail", "image.resize", "a/b:c"] as const

export class Workload {
  /** Attempts of a task that names none. */
  readonly maxAttempts = 5
  readonly #seed: string

  constructor(seed: number) {
    this.#seed = `${seed} work`
  }

  outcome(key: string, attempt: number): Outcome {
    const chance = new Chance(`${this.#seed} ${key} ${attempt}`)
    return {
      ends: chance.pick(
        "completes",
        "completes",
        "completes",
        "completes",
        "fails",
        "fails",
        "fails for good",
        "dies",
        "never ends"
      ),
      millis: chance.happens(0.2) ? 0 : chance.scale(1, 20_000),
      lines: chance.happens(0.3) ? chance.between(1, 6) : 0,
      isDeaf: chance.happens(0.25)
    }
  }

  /** A request that can be told from all others, whatever its content is. */
  request(key: string, chance: Chance): TaskRequest {
    return {
      content: content(key, chance),
      tags: [key],
      ...(chance.happens(0.3) ? { priority: chance.between(-100, 100) } : {}),
      ...(chance.happens(0.3) ? { maxAttempts: chance.between(1, 4) } : {}),
      ...(chance.happens(0.15) ? { retention: Math.round(chance.scale(1, 600_000)) } : {}),
      ...(chance.happens(0.2) ? { type: chance.pick(...types) } : {}),
      ...(chance.happens(0.3) ? { concurrencyKey: chance.pick("a", "b", "c") } : {})
    }
  }

  result(key: string, attempt: number): string {
    return `${key} done by attempt ${attempt}\n\u2028"${"é".repeat(attempt)}"`
  }

  /** Does the work; tells of each attempt as it begins, as its runner has succeeded, and as it has ended. */
  runner(options: {
    readonly began: (task: VenomTask) => void
    readonly succeeded: (task: VenomTask) => void
    readonly ended: (task: VenomTask) => void
  }): Layer.Layer<TaskRunner> {
    return Layer.succeed(TaskRunner, {
      run: (task, handle) =>
        Effect.suspend(() => {
          options.began(task)
          return Effect.ensuring(
            this.#work(task, handle, options.succeeded),
            Effect.sync(() => options.ended(task))
          )
        })
    })
  }

  readonly #work = Effect.fnUntraced(function* (
    this: Workload,
    task: VenomTask,
    { log }: AttemptHandle,
    succeeded: (task: VenomTask) => void
  ): Effect.fn.Return<string, TaskFailure> {
    const key = keyOf(task)
    const { ends, isDeaf, lines, millis } = this.outcome(key, task.attempt)
    const work = Effect.gen(function* () {
      for (let line = 0; line < lines; line++) {
        yield* log(`line ${line} of ${key}`)
        yield* Effect.sleep(millis / lines)
      }
      if (lines === 0 && millis > 0) yield* Effect.sleep(millis)
    })
    yield* isDeaf ? Effect.uninterruptible(work) : work
    switch (ends) {
      case "completes":
        succeeded(task)
        return this.result(key, task.attempt)
      case "fails":
        return yield* retryable(`${key} failed`)
      case "fails for good":
        return yield* permanent(`${key} failed for good`)
      case "dies":
        return yield* Effect.die(`${key} died`)
      case "never ends":
        return yield* Effect.never
    }
  })
}

export const keyOf = (task: VenomTask): string => task.tags[0] ?? ""

const content = (key: string, chance: Chance): string => {
  switch (chance.below(8)) {
    case 0:
      return ""
    case 1:
      return `line\n\r\n\u2028\u2029\u0000\u0085 ${key}`
    case 2:
      return `half a letter \ud83d and a whole one 🐍 ${key}`
    case 3:
      return JSON.stringify({ seq: 1, task: { id: key } })
    case 4:
      return "x".repeat(Math.floor(chance.scale(1, 6_000)))
    default:
      return `work ${key}`
  }
}
