import { Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { Answer } from "../domain/Why.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as Style from "./Style.ts"
import * as Table from "./Table.ts"
import * as TaskFlags from "./TaskFlags.ts"

const toJson = Schema.encodeSync(Answer)

const shown = ({ reasons, sentence, status }: typeof Answer.Type, { style }: Service.Screen): ReadonlyArray<string> => [
  `${style(Style.ofStatus(status), status)}  ${SafeText.line(sentence)}`,
  ...(reasons.length < 2
    ? []
    : reasons.map(({ code, message }) => `  ${style("dim", code)}  ${SafeText.line(message)}`))
]

/** For programs: the status and the sentence, then a line for each reason. */
const rows = ({ reasons, sentence, status }: typeof Answer.Type): ReadonlyArray<string> =>
  Table.lines([[status, sentence], ...reasons.map(({ code, message }) => [code, message])])

/** `venom why`: what stands between a task and its end. */
export const command = Command.make("why", { ...Service.flags, id: TaskFlags.id }, (given) =>
  Service.use(
    given,
    Effect.fnUntraced(function* (client, screen) {
      const answer = yield* client.tasks.why({ params: { id: given.id } })
      yield* screen.tell(toJson(answer), () => (screen.isTerminal ? shown(answer, screen) : rows(answer)))
    })
  )
).pipe(Command.withDescription("Says why a task is not running, or not done: every reason"))
