import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import type { PauseRequest, QueueState } from "../api/QueueApi.ts"
import { TaskType } from "../domain/Task.ts"
import * as QueueView from "./QueueView.ts"
import * as Service from "./Service.ts"
import type * as Trouble from "./Trouble.ts"

/** `venom pause` and `venom resume`: of the queue, or of one type. */
export const command = <const Name extends string>(
  name: Name,
  description: string,
  change: (queue: Service.Client["queue"], payload: PauseRequest) => Effect.Effect<QueueState, Trouble.Trouble>
) =>
  Command.make(
    name,
    {
      ...Service.flags,
      type: Argument.String("type").pipe(
        Argument.withDescription("Only this type of task; the whole queue without"),
        Argument.withSchema(TaskType),
        Argument.optional
      )
    },
    (given) =>
      Service.use(
        given,
        Effect.fnUntraced(function* (client, screen) {
          const payload = Option.match(given.type, { onNone: () => ({}), onSome: (type) => ({ type }) })
          const state = yield* change(client.queue, payload)
          yield* screen.tell(QueueView.toJson(state), () => QueueView.lines(state, screen))
        })
      )
  ).pipe(Command.withDescription(description))
