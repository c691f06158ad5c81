import { PgClient } from "@effect/sql-pg"
import { Effect, Option, Schema } from "effect"
import { isSqlError } from "effect/sql/SqlError"
import * as Flow from "../../domain/Flow.ts"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import { toJson } from "../../domain/TaskJson.ts"
import { Entry } from "../../ports/Entry.ts"
import * as Client from "./Client.ts"
import * as Database from "./Database.ts"
import * as Entries from "./Entries.ts"
import * as FlowRow from "./FlowRow.ts"
import * as Migrations from "./Migrations.ts"
import * as Pages from "./Pages.ts"
import { numbers, texts } from "./Parameters.ts"
import * as Row from "./Row.ts"
import { putBack } from "./statements/entries.ts"
import * as flow from "./statements/flow.ts"
import { insert } from "./statements/insert.ts"
import { escape } from "./Text.ts"
import * as Told from "./Told.ts"
import * as Trouble from "./Trouble.ts"

/** All that is kept. */
export interface State {
  readonly tasks: ReadonlyArray<VenomTask>
  readonly entries: ReadonlyArray<Entry>
}

/** The database holds a state already, or not the one that was put there. */
class Unfit extends Schema.TaggedError<Unfit>()("Unfit", { reason: Schema.String }) {
  override get message() {
    return this.reason
  }
}

/** Tasks read, and written, at once. */
const step = 500

/** However much there is. */
const longest = "1 day"

/** In a file, what holds back tasks is an entry of this name. */
const flowName = "flow"

const using = <A, E>(url: string, work: (database: Database.Database) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    yield* Migrations.run(sql)
    return yield* work(Database.make(sql))
  }).pipe(
    Effect.provide(Client.layer({ url })),
    Effect.scoped,
    Effect.mapError((error) => (isSqlError(error) ? new Unfit({ reason: Trouble.told(url, error) }) : error))
  )

const tasksOf = Effect.fnUntraced(function* (database: Database.Database) {
  const tasks: Array<VenomTask> = []
  for (let before: TaskId | undefined; ;) {
    const page = yield* Pages.read(database, {}, { limit: step, ...(before === undefined ? {} : { before }) })
    tasks.push(...page.tasks)
    before = page.tasks.at(-1)?.id
    if (!page.more || before === undefined) return tasks.toReversed()
  }
})

const decodeEntry = Schema.decodeUnknownSync(Schema.toType(Entry))

const all = Effect.fnUntraced(function* (database: Database.Database) {
  // all of it as it is at one moment, whoever works on it meanwhile
  yield* database.query("set transaction isolation level repeatable read, read only")
  const tasks = yield* tasksOf(database)
  const entries = yield* Entries.startingWith(database, "")
  const [row] = yield* database.query<{ readonly value: string | null }>(flow.flow)
  const held =
    row === undefined || row.value === null
      ? []
      : [decodeEntry({ name: flowName, value: JSON.parse(row.value), revision: 1, expiresAt: null })]
  return { tasks, entries: [...entries, ...held] }
})

/** Everything that a database holds, in memory. */
export const read = (url: string) => using(url, (database) => database.transaction(all(database), longest))

const decodeFlow = Schema.decodeUnknownOption(Schema.toCodecJson(Flow.Flow))

/** Puts all of a state into a database that holds none, or nothing; and looks whether it is there. */
export const fill = (url: string, state: State) =>
  using(url, (database) =>
    database.transaction(
      Effect.gen(function* () {
        yield* database.query("lock table venom.task in exclusive mode")
        const found = yield* Pages.read(database, {}, { limit: 1 })
        if (found.tasks.length > 0 || (yield* Entries.startingWith(database, "")).length > 0) {
          return yield* new Unfit({ reason: "it holds a state already: import into an empty database" })
        }
        for (let n = 0; n < state.tasks.length; n += step) {
          const tasks = state.tasks.slice(n, n + step)
          const told = texts(tasks.map((task) => Told.write(undefined, task)))
          yield* database.query(insert(false), [...Row.fixedOf(tasks), ...Row.changingOf(tasks), told])
        }
        const entries = state.entries.filter(({ name }) => name !== flowName)
        yield* database.query(putBack, [
          texts(entries.map(({ name }) => escape(name))),
          texts(entries.map(({ value }) => JSON.stringify(value))),
          numbers(entries.map(({ revision }) => revision)),
          numbers(entries.map(({ expiresAt }) => expiresAt))
        ])
        const held = state.entries.find(({ name }) => name === flowName)
        if (held !== undefined) {
          const decoded = decodeFlow(held.value)
          yield* database.query(flow.setFlow, [JSON.stringify(held.value), Option.exists(decoded, Flow.isFree)])
          const types = Option.match(decoded, { onNone: () => ({}), onSome: ({ types }) => types })
          for (const [type, { rate }] of Object.entries(types)) {
            if (rate !== undefined) yield* FlowRow.seed(database, type, rate, undefined)
          }
        }
        const there = new Map((yield* tasksOf(database)).map((task) => [task.id, toJson(task)]))
        const isThere = state.tasks.every((task) => there.get(task.id) === toJson(task))
        if (!isThere || there.size !== state.tasks.length) {
          return yield* new Unfit({ reason: "it does not hold what was written" })
        }
      }),
      longest
    )
  )
