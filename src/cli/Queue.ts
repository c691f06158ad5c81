import { Effect } from "effect"
import { Command } from "effect/cli"
import * as QueueView from "./QueueView.ts"
import * as Service from "./Service.ts"

/** `venom queue`: how the queue stands. */
export const command = Command.make("queue", Service.flags, (given) =>
  Service.use(given, (client, screen) =>
    Effect.flatMap(client.queue.state(), (state) =>
      screen.tell(QueueView.toJson(state), () => QueueView.lines(state, screen))
    )
  )
).pipe(Command.withDescription("Shows how the queue stands: counts per status and type, slots, what is paused"))
