import { Clock, Console, Effect, Latch, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Patience from "../client/Patience.ts"
import type { VenomTask } from "../domain/Task.ts"
import * as Follow from "./Follow.ts"
import * as QueueView from "./QueueView.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as Table from "./Table.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as TaskView from "./TaskView.ts"

/** A picture stands at least so long, and at most a second: its times go on. */
const gap = "250 millis"
const most = "1 second"

const clear = "\u001b[H\u001b[J"
const enter = "\u001b[?1049h\u001b[?25l"
const leave = "\u001b[?25h\u001b[?1049l"

/** Running tasks first, then the newest. */
const chosen = (lists: ReadonlyArray<ReadonlyArray<VenomTask>>, rows: number): ReadonlyArray<VenomTask> =>
  Array.from(new Map(lists.flat().map((task) => [task.id, task])).values()).slice(0, rows)

const { status, tag, type } = TaskFlags.filter

/** `venom watch`: a live table for a person, an event a line for a program. */
export const command = Command.make(
  "watch",
  {
    ...Service.flags,
    status,
    type,
    tag,
    events: Flag.Boolean("events").pipe(
      Flag.withDescription("A line for each event, as where the output is no terminal"),
      Flag.withDefault(false)
    )
  },
  (given) =>
    Service.use(
      given,
      Effect.fnUntraced(function* (client, screen) {
        const { q: _none, ...filter } = TaskFlags.filterOf({ ...given, q: Option.none() })
        const open = (headers: { readonly "last-event-id"?: string }) => client.events.all({ headers, query: filter })
        if (!screen.isTerminal || screen.asJson || given.events) {
          return yield* Follow.events(
            open,
            (told) => Effect.as(screen.write(`${line(told, screen)}\n`), "more"),
            Console.error("The connection broke: trying again")
          )
        }
        const changed = yield* Latch.make(true)
        const picture = Effect.gen(function* () {
          const rows = Math.max(1, screen.rows - 4)
          const limit = Math.min(rows, 500)
          const state = yield* client.queue.state()
          // one status alone is what is asked for
          const first = filter.status === undefined ? (["PROCESSING"] as const) : []
          const runs = yield* Effect.forEach(first, (running) =>
            client.tasks.list({ query: { ...filter, status: running, limit } })
          )
          const newest = yield* client.tasks.list({ query: { ...filter, limit } })
          const tasks = chosen(
            [...runs, newest].map(({ body }) => body),
            rows
          )
          const now = yield* Clock.currentTimeMillis
          return [
            SafeText.cut(
              QueueView.summary(state, { ...screen, now, style: (_look, text) => text }),
              screen.columns ?? 80
            ),
            "",
            ...Table.aligned(TaskView.columns(screen, now), tasks, screen)
          ]
        })
        const draw = Effect.gen(function* () {
          const shown = yield* Effect.result(picture)
          if (shown._tag === "Failure" && !Patience.isPassing(shown.failure)) return yield* Effect.fail(shown.failure)
          const lines = shown._tag === "Success" ? shown.success : []
          if (lines.length === 0)
            return yield* screen.write(
              `\u001b[H${screen.style("yellow", "The connection broke: trying again")}\u001b[K`
            )
          yield* screen.write(`${clear}${lines.join("\r\n")}`)
        })
        const drawing = Effect.forever(
          Effect.gen(function* () {
            yield* Effect.timeoutOption(changed.await, most)
            yield* changed.close
            yield* draw
            yield* Effect.sleep(gap)
          })
        )
        const following = Follow.events(open, () => Effect.as(changed.open, "more"), changed.open)
        // before the screen is taken it must be sure that there is something to show
        yield* picture
        yield* Effect.acquireUseRelease(
          screen.write(enter),
          () => Effect.raceFirst(drawing, following),
          () => Effect.ignore(screen.write(leave))
        )
      })
    )
).pipe(Command.withDescription("Shows what happens to tasks, as it happens, over restarts of the service too"))

const line = (told: Follow.Told, { asJson }: Service.Screen): string => {
  if (asJson) return SafeText.json(told)
  if (told.event === "reset") return "reset"
  const { task_id: id, ...rest } = told.data
  const said =
    "status" in rest ? rest.status : "line" in rest ? rest.line : `${rest.percent ?? ""}% ${rest.message ?? ""}`
  return [told.event, id, SafeText.line(said)].join("\t")
}
