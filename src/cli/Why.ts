import { Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { Answer } from "../domain/Why.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as Style from "./Style.ts"
import * as TaskFlags from "./TaskFlags.ts"

const toJson = Schema.encodeSync(Answer)

/** `venom why`: what stands between a task and its end. */
export const command = Command.make("why", { ...Service.flags, id: TaskFlags.id }, (given) =>
  Service.use(
    given,
    Effect.fnUntraced(function* (client, screen) {
      const answer = yield* client.tasks.why({ params: { id: given.id } })
      yield* screen.tell(toJson(answer), () => [
        `${screen.style(Style.ofStatus(answer.status), answer.status)}  ${SafeText.line(answer.sentence)}`,
        ...(answer.reasons.length < 2
          ? []
          : answer.reasons.map(({ code, message }) => `  ${screen.style("dim", code)}  ${SafeText.line(message)}`))
      ])
    })
  )
).pipe(Command.withDescription("Says why a task is not running, or not done: every reason"))
