import { Console, Effect, Result, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Schedule, ScheduleName, ScheduleRequest } from "../domain/Schedule.ts"
import * as Ago from "./Ago.ts"
import * as Input from "./Input.ts"
import * as Service from "./Service.ts"
import type { Column } from "./Table.ts"
import * as Trouble from "./Trouble.ts"

const toJson = Schema.encodeSync(Schedule)
const read = Input.json(Schema.decodeUnknownResult(ScheduleRequest, { errors: "all", onExcessProperty: "error" }))

const name = Argument.String("name").pipe(
  Argument.withDescription("The name of a schedule"),
  Argument.withSchema(ScheduleName)
)

const times = ({ cron, every, timeZone }: Schedule): string =>
  cron === undefined ? `every ${typeof every === "number" ? Ago.span(every) : every}` : `${cron} ${timeZone ?? "UTC"}`

const columns = ({ isTerminal, now }: Service.Screen): ReadonlyArray<Column<Schedule>> => {
  const time = (instant: number | null) => (isTerminal ? Ago.of(instant, now) : Ago.iso(instant))
  return [
    { title: "NAME", cell: (schedule) => ({ text: schedule.name, look: "bold" }) },
    { title: "TIMES", cell: (schedule) => ({ text: times(schedule) }) },
    {
      title: "NEXT",
      cell: ({ nextRun, paused }) => (paused ? { text: "paused", look: "yellow" } : { text: time(nextRun) })
    },
    { title: "LAST", cell: ({ lastRun }) => ({ text: time(lastRun?.slot ?? null), look: "dim" }) },
    { title: "TYPE", cell: ({ task }) => ({ text: task.type ?? "default" }) },
    { title: "CONTENT", cell: ({ task }) => ({ text: isTerminal ? task.content.slice(0, 500) : task.content }) }
  ]
}

const tell = (screen: Service.Screen, schedules: ReadonlyArray<Schedule>, json: unknown) =>
  screen.tell(json, () => (schedules.length === 0 ? [] : screen.table(columns(screen), schedules)))

const list = Command.make("list", Service.flags, (given) =>
  Service.use(
    given,
    Effect.fnUntraced(function* (client, screen) {
      const schedules = yield* client.schedules.list()
      yield* tell(
        screen,
        schedules,
        schedules.map((one) => toJson(one))
      )
      if (schedules.length === 0 && screen.isTerminal && !screen.asJson) yield* Console.error("There is no schedule")
    })
  )
).pipe(Command.withDescription("Lists all schedules"))

const get = Command.make("get", { ...Service.flags, name }, (given) =>
  Service.use(given, (client, screen) =>
    Effect.flatMap(client.schedules.get({ params: { name: given.name } }), (one) => tell(screen, [one], toJson(one)))
  )
).pipe(Command.withDescription("Shows one schedule"))

const put = Command.make(
  "put",
  {
    ...Service.flags,
    name,
    file: Flag.String("file").pipe(
      Flag.withAlias("f"),
      Flag.withMetavar("<file>"),
      Flag.withDescription("The schedule in JSON, as in the HTTP API; - reads it from stdin"),
      Flag.withDefault("-")
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        const text = yield* given.file === "-" ? Input.standard : Input.file(given.file)
        const payload = yield* Effect.fromResult(
          Result.mapError(read(text), (lines) =>
            Trouble.ended(
              "usage",
              `No schedule in ${given.file === "-" ? "stdin" : given.file}:`,
              ...lines.map((line) => `  ${line}`)
            )
          )
        )
        const one = yield* client.schedules.put({ params: { name: given.name }, payload })
        yield* tell(screen, [one], toJson(one))
      })
    )
).pipe(
  Command.withDescription("Makes a schedule, or replaces the one of that name"),
  Command.withExamples([
    {
      command: `echo '{"cron":"0 3 * * *","task":{"content":"report"}}' | venom schedules put nightly`,
      description: "A task at three each night, UTC"
    }
  ])
)

const remove = Command.make("delete", { ...Service.flags, name }, (given) =>
  Service.use(given, (client, screen) =>
    Effect.andThen(
      client.schedules.delete({ params: { name: given.name } }),
      screen.tell({ name: given.name, deleted: true }, () => [`${given.name} deleted`])
    )
  )
).pipe(Command.withDescription("Deletes a schedule; the tasks that it has made stay"))

/** `venom schedules`. */
export const command = Command.make("schedules").pipe(
  Command.withDescription("Schedules: tasks made again and again"),
  Command.withSubcommands([list, get, put, remove])
)
