import { Console, Effect, type FileSystem, Option, type Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { GivenTaskId } from "../domain/Task.ts"
import * as BulkSubmit from "./BulkSubmit.ts"
import * as Input from "./Input.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as TaskView from "./TaskView.ts"
import * as Trouble from "./Trouble.ts"
import * as Wait from "./Wait.ts"

const content = Effect.fnUntraced(function* (
  argument: Option.Option<string>,
  file: Option.Option<string>
): Effect.fn.Return<string | undefined, Trouble.Trouble, FileSystem.FileSystem | Stdio.Stdio> {
  if (Option.isSome(file) && Option.isSome(argument)) {
    return yield* Trouble.ended("usage", "Give the content as an argument or as a file, not both")
  }
  if (Option.isSome(file)) return yield* Input.file(file.value)
  if (Option.isNone(argument)) return undefined
  return argument.value === "-" ? yield* Input.standard : argument.value
})

/** `venom submit`: one task, or a file of them. */
export const command = Command.make(
  "submit",
  {
    ...Service.flags,
    content: Argument.String("content").pipe(
      Argument.withDescription("What is to be done; - reads it from stdin"),
      Argument.optional
    ),
    contentFile: Flag.String("content-file").pipe(
      Flag.withMetavar("<file>"),
      Flag.withDescription("A file with the content"),
      Flag.optional
    ),
    copyOf: Flag.String("copy-of").pipe(
      Flag.withMetavar("<id>"),
      Flag.withDescription("As this task was, but for what is said here; not its times, deadline and unique key"),
      Flag.withSchema(GivenTaskId),
      Flag.optional
    ),
    ...TaskFlags.options,
    key: Flag.String("idempotency-key").pipe(
      Flag.withMetavar("<key>"),
      Flag.withDescription("The same submit with the same key makes its task once in 24 hours"),
      Flag.optional
    ),
    wait: Flag.Boolean("wait").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Wait until it is final, and show its result; the exit code tells how it ended"),
      Flag.withDefault(false)
    ),
    waitTimeout: Wait.timeoutFlag("wait-timeout"),
    file: Flag.String("file").pipe(
      Flag.withAlias("f"),
      Flag.withMetavar("<tasks.jsonl>"),
      Flag.withDescription("Many tasks: a line of JSON each, as in the HTTP API; goes on where it was interrupted"),
      Flag.optional
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        if (Option.isSome(given.file)) {
          const isSome = (option: Option.Option<unknown>) => Option.isSome(option)
          const { file: _, ...rest } = given
          if (Object.values(rest).some((one) => Option.isOption(one) && isSome(one)) || given.tag.length > 0) {
            return yield* Trouble.ended("usage", "With --file, each line says all about its task: leave out the rest")
          }
          return yield* BulkSubmit.run(client, screen, given.file.value)
        }
        const copyOf = Option.getOrUndefined(given.copyOf)
        const text = yield* content(given.content, given.contentFile)
        if (text === undefined && copyOf === undefined) {
          return yield* Trouble.ended(
            "usage",
            "Say what is to be done: content, - for stdin, --content-file, --copy-of or --file"
          )
        }
        const payload = yield* TaskFlags.request(text, copyOf, given)
        const headers = Option.match(given.key, { onNone: () => ({}), onSome: (key) => ({ "idempotency-key": key }) })
        const { body } = yield* client.tasks.submit({ payload, headers })
        const id = body.taskId
        if (!given.wait) return yield* screen.tell({ task_id: id, status: body.status }, () => [id])
        if (screen.isTerminal) yield* Console.error(screen.style("dim", id))
        const task = yield* Wait.within(client, id, given.waitTimeout, true)
        yield* screen.tell(TaskView.toJson(task), () =>
          task.result === null ? [] : [screen.isTerminal ? SafeText.block(task.result) : task.result]
        )
        if (task.status === "FAILED") return yield* Trouble.ended("failed", TaskView.outcome(task))
      })
    )
).pipe(
  Command.withDescription("Submits a task, or a file of them; answers when they are durable"),
  Command.withExamples([
    { command: 'venom submit "resize image 42" --type images --priority -5', description: "One task; prints its id" },
    { command: "venom submit --wait - < order.json", description: "Content from stdin, result on stdout" },
    { command: "venom submit --copy-of ID --priority -10", description: "A task once more, with changes" },
    { command: "venom submit --file tasks.jsonl", description: "Many, a line of JSON each" }
  ])
)
