import { Console, Effect } from "effect"
import { Command, Flag, Prompt, TerminalCapabilities } from "effect/cli"
import type { ActionRequest, ActionResponse } from "../api/ActionsApi.ts"
import type { TaskId, TaskStatus } from "../domain/Task.ts"
import * as Count from "./Count.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as TaskFlags from "./TaskFlags.ts"
import * as Trouble from "./Trouble.ts"

type Actions = Service.Client["actions"]

/** Something that is done to one task, or to all that match. */
interface Action {
  readonly name: "cancel" | "retry" | "delete"
  readonly done: string
  readonly description: string
  /** Where it can be done at all. */
  readonly from: ReadonlyArray<TaskStatus>
  readonly one: (actions: Actions, id: TaskId) => Effect.Effect<unknown, Trouble.Trouble>
  readonly all: (
    actions: Actions,
    payload: ActionRequest
  ) => Effect.Effect<ActionResponse, Effect.Error<ReturnType<Actions["cancelAll"]>>>
}

/** More than there ever are: the service answers how many match, and does nothing. */
const impossible = Number.MAX_SAFE_INTEGER

const counted = (action: Action, actions: Actions, filter: ActionRequest) =>
  action.all(actions, { ...filter, expected: impossible }).pipe(
    Effect.map(({ matched }) => matched),
    Effect.catchTag("UnexpectedCount", ({ matched }) => Effect.succeed(matched))
  )

const tasks = (count: number) => Count.of(count, "task")

const confirmed = Effect.fnUntraced(function* (action: Action, count: number) {
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  if (!canPrompt) {
    return yield* Trouble.ended("usage", `${tasks(count)} would be ${action.done}: say --yes to do it`)
  }
  const message = `${action.name[0]?.toUpperCase()}${action.name.slice(1)} ${tasks(count)}?`
  const yes = yield* Effect.catchTag(Prompt.run(Prompt.Confirm({ message })), "QuitError", () => Effect.succeed(false))
  if (!yes) return yield* Trouble.ended("failed", "Nothing has been done")
})

const byIds = Effect.fnUntraced(function* (
  action: Action,
  ids: ReadonlyArray<TaskId>,
  client: Service.Client,
  screen: Service.Screen,
  url: string
) {
  const results: Array<{ readonly task_id: TaskId; readonly error: string | null }> = []
  let worst: Trouble.Ended | undefined
  for (const id of ids) {
    const trouble = yield* Effect.match(action.one(client.actions, id), {
      onSuccess: () => undefined,
      onFailure: (failure) => Trouble.of(url, failure)
    })
    results.push({ task_id: id, error: trouble?.message ?? null })
    if (trouble === undefined) {
      if (!screen.asJson) yield* screen.write(`${id}${screen.isTerminal ? " " : "\t"}${action.done}\n`)
      continue
    }
    worst = trouble
    if (trouble.exitCode === 5) break
    if (!screen.asJson) yield* Console.error(trouble.message)
  }
  if (screen.asJson) yield* screen.tell(results, () => [])
  if (worst !== undefined) return yield* worst.exitCode === 5 ? worst : Trouble.quiet(worst)
})

const byFilter = Effect.fnUntraced(function* (
  action: Action,
  filter: ReturnType<typeof TaskFlags.filterOf>,
  yes: boolean,
  client: Service.Client,
  screen: Service.Screen
) {
  const statuses = action.from.filter((status) => filter.status === undefined || filter.status === status)
  if (statuses.length === 0) {
    return yield* Trouble.ended(
      "usage",
      `No ${filter.status} task can be ${action.done}: only ${action.from.join(" and ")}`
    )
  }
  const count = (status: TaskStatus) => counted(action, client.actions, { ...filter, status })
  const outcome = { matched: 0, changed: 0, skipped: 0 }
  let full = false
  for (let isDone = false; !isDone;) {
    const counts = yield* Effect.forEach(statuses, (status) => Effect.map(count(status), (n) => ({ status, n })))
    const total = counts.reduce((sum, { n }) => sum + n, 0)
    if (total === 0) break
    if (!yes) yield* confirmed(action, total)
    isDone = true
    for (const { n, status } of counts) {
      if (n === 0) continue
      const expectation = yes ? {} : { expected: n }
      const changed = yield* action
        .all(client.actions, { ...filter, status, ...expectation })
        .pipe(Effect.catchTag("UnexpectedCount", () => Effect.succeed(undefined)))
      if (changed === undefined) {
        yield* Console.error("Meanwhile it is another number of tasks")
        isDone = false
        break
      }
      outcome.matched += changed.matched
      outcome.changed += changed.changed
      outcome.skipped += changed.skipped
      full ||= changed.full === true
    }
  }
  const skips =
    outcome.skipped === 0 ? "" : `, ${outcome.skipped} skipped: ${full ? "the queue is full" : "changed meanwhile"}`
  yield* screen.tell(full ? { ...outcome, full } : outcome, () => [
    outcome.matched === 0 ? "No task matches" : `${tasks(outcome.changed)} ${action.done}${skips}`
  ])
})

/** The command of an action: for the ids that are given, or for all that match the filter. */
export const command = <const Name extends Action["name"]>(action: Action & { readonly name: Name }) =>
  Command.make(
    action.name,
    {
      ...Service.flags,
      ...TaskFlags.filter,
      ids: TaskFlags.ids,
      all: Flag.Boolean("all").pipe(
        Flag.withDescription(`Without a filter: every task that can be ${action.done}`),
        Flag.withDefault(false)
      ),
      yes: Flag.Boolean("yes").pipe(
        Flag.withAlias("y"),
        Flag.withDescription("Do not ask how many tasks are meant"),
        Flag.withDefault(false)
      )
    },
    (given) =>
      Service.use(
        given,
        Effect.fnUntraced(function* (client, screen) {
          const filter = TaskFlags.filterOf(given)
          const isFiltered = Object.keys(filter).length > 0
          if (given.ids.length > 0 && (isFiltered || given.all)) {
            return yield* Trouble.ended("usage", "Give ids, or a filter, not both")
          }
          if (given.ids.length > 0) return yield* byIds(action, given.ids, client, screen, given.url)
          if (!isFiltered && !given.all) {
            return yield* Trouble.ended("usage", "Say which tasks: ids, a filter such as --status or --type, or --all")
          }
          yield* byFilter(action, filter, given.yes, client, screen)
        })
      )
  ).pipe(Command.withDescription(SafeText.line(action.description)))
