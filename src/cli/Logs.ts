import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { isFinished, type TaskId } from "../domain/Task.ts"
import * as Follow from "./Follow.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as TaskView from "./TaskView.ts"

/**
 * Lines that are there and lines that come, each once: between the first and the second some are both. A line begins
 * with its time, so that two are the same only where they are one.
 */
export class Told {
  readonly #ahead = new Map<string, number>()

  /** Lines as the task has them: those that have not been told. */
  there(lines: ReadonlyArray<string>): ReadonlyArray<string> {
    return lines.filter((line) => this.#count(line))
  }

  comes(line: string): ReadonlyArray<string> {
    return this.there([line])
  }

  #count(line: string): boolean {
    const known = this.#ahead.has(line)
    this.#ahead.set(line, 1)
    const [oldest] = this.#ahead.keys()
    if (this.#ahead.size > 4000 && oldest !== undefined) this.#ahead.delete(oldest)
    return !known
  }
}

const shown = (screen: Service.Screen, id: TaskId, lines: ReadonlyArray<string>) => {
  const text = lines.map((line) =>
    screen.asJson
      ? SafeText.json({ task_id: id, line })
      : line.replace(
          /^(\S+) ?(.*)$/s,
          (_, time: string, rest: string) => `${screen.style("dim", SafeText.line(time))} ${SafeText.line(rest)}`
        )
  )
  return text.length === 0 ? Effect.void : screen.write(`${text.join("\n")}\n`)
}

/** `venom logs`: what a task has logged, and what it logs. */
export const command = Command.make(
  "logs",
  {
    ...Service.flags,
    id: TaskFlags.id,
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("Go on with what it logs, until it is final"),
      Flag.withDefault(false)
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        const { id } = given
        const told = new Told()
        const catchUp = Effect.gen(function* () {
          const { body: task } = yield* client.tasks.get({ params: { id }, headers: {} })
          yield* shown(screen, id, told.there(task.logs))
          return task
        })
        if (!given.follow) return yield* catchUp
        yield* Follow.events(
          (headers) => client.events.ofTask({ params: { id }, headers }),
          Effect.fnUntraced(function* (event) {
            if (event.event === "log") yield* shown(screen, id, told.comes(event.data.line))
            if (event.event !== "status" && event.event !== "reset") return "more"
            return isFinished(yield* catchUp) ? "enough" : "more"
          }),
          Console.error(screen.style("dim", "The connection broke: trying again"))
        )
        const { body: task } = yield* client.tasks.get({ params: { id }, headers: {} })
        if (screen.isTerminal) yield* Console.error(TaskView.outcome(task))
      })
    )
).pipe(Command.withDescription("Shows the log of a task; --follow goes on with it, over restarts too"))
