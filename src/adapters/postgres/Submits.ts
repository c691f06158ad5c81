import { Effect, Exit, Option, Result } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { TaskId, VenomTask } from "../../domain/Task.ts"
import type { EntryChanged, Put } from "../../ports/Entry.ts"
import type { QueueFull, StorageError } from "../../ports/StorageError.ts"
import * as Batches from "./Batches.ts"
import { certain, type Database } from "./Database.ts"
import * as Entries from "./Entries.ts"
import { texts, uuids } from "./Parameters.ts"
import type { Room } from "./Room.ts"
import * as Row from "./Row.ts"
import { get } from "./statements/get.ts"
import { holders } from "./statements/holders.ts"
import { insert } from "./statements/insert.ts"
import * as Told from "./Told.ts"

type PutOf = Put | ((made: ReadonlyArray<VenomTask>) => Put)

type Refusal = StorageError | QueueFull | EntryChanged

/** Bytes of tasks written together, about; a task counts for so many at least. */
const most = 4 * 1024 * 1024
const least = 1024

const weightOf = (tasks: ReadonlyArray<VenomTask>): number =>
  tasks.reduce((sum, { content }) => sum + least + content.length, 0)

const plain = insert(false)
const unique = insert(true)
const joined = insert(true, "joined")

/** Takes tasks in: those that are only new all together, those that hang together with something else one by one. */
export const make = Effect.fnUntraced(function* (
  sql: SqlClient,
  database: Database,
  room: Room,
  onNew: (tasks: ReadonlyArray<VenomTask>) => void
) {
  const add = (statement: string, tasks: ReadonlyArray<VenomTask>) =>
    Effect.map(
      database.query<{ readonly id: TaskId }>(statement, [
        ...Row.fixedOf(tasks),
        ...Row.changingOf(tasks),
        texts(tasks.map((task) => Told.write(undefined, task)))
      ]),
      (rows) => new Set(rows.map(({ id }) => id))
    )

  const areThere = (tasks: ReadonlyArray<VenomTask>) =>
    Effect.map(database.query(get, [uuids(tasks.map(({ id }) => id))]), (rows) => rows.length === tasks.length)

  const addPlain = (tasks: ReadonlyArray<VenomTask>) =>
    certain(
      Effect.asVoid(add(plain, tasks)),
      Effect.map(areThere(tasks), (there) => (there ? Option.some(undefined) : Option.none()))
    )

  const together = yield* Batches.make<ReadonlyArray<VenomTask>, ReadonlyArray<VenomTask>, StorageError | QueueFull>(
    { most, weight: weightOf },
    Effect.fnUntraced(function* (asks: ReadonlyArray<ReadonlyArray<VenomTask>>) {
      const taken: Array<ReadonlyArray<VenomTask>> = []
      const refused = new Map<ReadonlyArray<VenomTask>, StorageError | QueueFull>()
      for (const tasks of asks) {
        const fits = yield* Effect.result(room.take(tasks.length))
        if (Result.isSuccess(fits)) taken.push(tasks)
        else refused.set(tasks, fits.failure)
      }
      const all = taken.flat()
      const added = yield* Effect.result(all.length === 0 ? Effect.void : addPlain(all))
      room.settled(all.length)
      if (Result.isSuccess(added)) onNew(all)
      return asks.map((tasks) => {
        const refusal = refused.get(tasks)
        if (refusal !== undefined) return Exit.fail(refusal)
        return Result.isSuccess(added) ? Exit.succeed(tasks) : Exit.fail(added.failure)
      })
    })
  )

  /** Those with a unique key that another task has are replaced by that one. */
  const addUnique = Effect.fnUntraced(function* (statement: string, tasks: ReadonlyArray<VenomTask>) {
    const added = yield* add(statement, tasks)
    const made: Array<VenomTask> = []
    for (const task of tasks) {
      for (let isMade = added.has(task.id); ;) {
        if (isMade) {
          made.push(task)
          break
        }
        const holder = made.find(({ uniqueKey }) => uniqueKey === task.uniqueKey) ?? (yield* holderOf(task))
        if (holder !== undefined) {
          made.push(holder)
          break
        }
        // it has finished since
        isMade = (yield* add(statement, [task])).size > 0
      }
    }
    return made
  })

  const holderOf = (task: VenomTask) =>
    Effect.map(database.query<Row.Row>(holders, [texts([Row.uniqueKeyOf(task)])]), ([row]) =>
      row === undefined ? undefined : Row.read(row)
    )

  const addAll = (statement: string, tasks: ReadonlyArray<VenomTask>, put: PutOf | undefined) =>
    database.transaction(
      Effect.gen(function* () {
        const made = yield* addUnique(statement, tasks)
        const fresh = made.filter((task, n) => task === tasks[n]).length
        yield* room.taken(fresh)
        if (put !== undefined) yield* Entries.put(database, typeof put === "function" ? put(made) : put, false)
        yield* sql.afterCommit(Effect.sync(() => onNew(made)))
        return made
      })
    )

  const alone = (tasks: ReadonlyArray<VenomTask>, put: PutOf | undefined) =>
    certain(
      addAll(unique, tasks, put),
      Effect.map(areThere(tasks), (there) => (there ? Option.some(tasks) : Option.none()))
    ).pipe(Effect.uninterruptible)

  return Effect.fnUntraced(function* (
    tasks: ReadonlyArray<VenomTask>,
    put: PutOf | undefined
  ): Effect.fn.Return<ReadonlyArray<VenomTask>, Refusal> {
    if (tasks.length === 0 && put === undefined) return tasks
    // in a transaction of the application: it happens with the rest of that, or not at all
    if (Option.isSome(yield* Effect.serviceOption(sql.transactionService))) return yield* addAll(joined, tasks, put)
    const isPlain = put === undefined && tasks.every(({ uniqueKey }) => uniqueKey === undefined)
    return yield* isPlain ? together(tasks) : alone(tasks, put)
  })
})
