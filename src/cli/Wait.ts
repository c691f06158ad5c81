import { Console, Effect, Option, Duration } from "effect"
import { Command, Flag } from "effect/cli"
import * as Patience from "../client/Patience.ts"
import type { TaskId, VenomTask } from "../domain/Task.ts"
import * as DurationFlag from "./DurationFlag.ts"
import { exitCodes } from "./ExitCode.ts"
import * as Service from "./Service.ts"
import * as Style from "./Style.ts"
import type { Column } from "./Table.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as TaskView from "./TaskView.ts"
import * as Trouble from "./Trouble.ts"

export const timeoutFlag = (name: string) =>
  Flag.optional(DurationFlag.of(name, `Wait so long at most: "5 minutes"; then exit with ${exitCodes.notDone}`))

/** The task when it is final; ends when it is not in time. `isKnown`: the service has answered before. */
export const within = (
  client: Service.Client,
  id: TaskId,
  timeout: Option.Option<Duration.Duration>,
  isKnown: boolean
) => {
  const waiting = Patience.untilFinal(client, id, isKnown)
  return Option.match(timeout, {
    onNone: () => waiting,
    onSome: (duration) =>
      Effect.timeoutOrElse(waiting, {
        duration,
        orElse: () => Effect.fail(Trouble.ended("notDone", `${id} is not final after ${Duration.format(duration)}`))
      })
  })
}

const columns: ReadonlyArray<Column<VenomTask>> = [
  { title: "ID", cell: ({ id }) => ({ text: id }) },
  { title: "STATUS", cell: ({ status }) => ({ text: status, look: Style.ofStatus(status) }) }
]

/** `venom wait`: its exit code tells how the tasks ended. */
export const command = Command.make(
  "wait",
  { ...Service.flags, ids: TaskFlags.ids, timeout: timeoutFlag("timeout") },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        if (given.ids.length === 0) return yield* Trouble.ended("usage", "Say which tasks: their ids")
        const tasks = yield* Effect.forEach(
          given.ids,
          (id) =>
            Effect.tap(within(client, id, given.timeout, false), (task) =>
              screen.tell(TaskView.toJson(task), () => screen.table(columns, [task], false))
            ),
          { concurrency: 8 }
        )
        const failed = tasks.filter(({ status }) => status === "FAILED")
        yield* Effect.forEach(failed, (task) => Console.error(TaskView.outcome(task)))
        if (failed.length > 0) return yield* Trouble.ended("failed")
      })
    )
).pipe(
  Command.withDescription(
    `Waits until tasks are final: exits with ${exitCodes.ok} when all are COMPLETED, ${exitCodes.failed} when one FAILED`
  )
)
