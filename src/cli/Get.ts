import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as TaskView from "./TaskView.ts"
import * as Trouble from "./Trouble.ts"

/** `venom get`: one task, or its result alone. */
export const command = Command.make(
  "get",
  {
    ...Service.flags,
    id: TaskFlags.id,
    result: Flag.Boolean("result").pipe(
      Flag.withDescription("Only the result, to the byte where it goes into a file or a pipe"),
      Flag.withDefault(false)
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        const { body: task } = yield* client.tasks.get({ params: { id: given.id }, headers: {} })
        if (!given.result) return yield* screen.tell(TaskView.toJson(task), () => TaskView.details(task, screen))
        if (task.result === null) return yield* Trouble.ended("failed", `There is no result: ${TaskView.outcome(task)}`)
        if (screen.asJson || screen.isTerminal) {
          return yield* screen.tell(task.result, () => [SafeText.block(task.result ?? "")])
        }
        yield* screen.write(task.result)
      })
    )
).pipe(Command.withDescription("Shows one task: how it stands, its content, its result, its log"))
