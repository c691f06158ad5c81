import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { GivenTaskId } from "../domain/Task.ts"
import * as Pages from "./Pages.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as TaskView from "./TaskView.ts"

/** `venom list`: tasks, newest first. */
export const command = Command.make(
  "list",
  {
    ...Service.flags,
    ...TaskFlags.filter,
    limit: Flag.Int("limit").pipe(
      Flag.withAlias("n"),
      Flag.filter(
        (limit) => limit > 0,
        () => "expected a number from 1 on"
      ),
      Flag.withDescription("So many at most [default: 20]"),
      Flag.withDefault(20)
    ),
    all: Flag.Boolean("all").pipe(Flag.withDescription("All that match, however many"), Flag.withDefault(false)),
    after: Flag.String("after").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("Go on where a list ended: the last id it showed"),
      Flag.withSchema(GivenTaskId),
      Flag.optional
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        const most = given.all ? Number.POSITIVE_INFINITY : given.limit
        let shown = 0
        let last: string | undefined
        const more = yield* Pages.each(
          client,
          { filter: TaskFlags.filterOf(given), most, after: Option.getOrUndefined(given.after) },
          Effect.fnUntraced(function* (tasks) {
            const lines = screen.asJson
              ? tasks.map((task, at) => `${shown + at === 0 ? "[" : ","}${SafeText.json(TaskView.toJson(task))}`)
              : screen.table(TaskView.columns(screen, screen.now), tasks, shown === 0)
            shown += tasks.length
            last = tasks.at(-1)?.id ?? last
            if (lines.length > 0) yield* screen.write(`${lines.join("\n")}\n`)
          })
        )
        if (screen.asJson) return yield* screen.write(shown === 0 ? "[]\n" : "]\n")
        if (!screen.isTerminal) return
        if (shown === 0) yield* Console.error("No task matches")
        else if (more) yield* Console.error(screen.style("dim", `There are more: --all, or --after ${last}`))
      })
    )
).pipe(
  Command.withAlias("ls"),
  Command.withDescription("Lists tasks, newest first"),
  Command.withExamples([
    { command: "venom list --status FAILED --type email", description: "What went wrong" },
    { command: "venom list --all --json", description: "Everything, as one JSON array with a task a line" }
  ])
)
