import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Deferred, Effect, Exit, Fiber, Layer, Option } from "effect"
import { Engine, Orchestrator, RandomBytes, StateRepository, type TaskId, TaskRunner } from "../../../src/index.ts"
import { PostgresStateRepository } from "../../../src/postgres.ts"
import * as Postgres from "../../support/Postgres.ts"
import { ownServer } from "./databases.ts"

const url = ownServer()

const echo = Layer.succeed(TaskRunner, TaskRunner.of({ run: ({ content }) => Effect.succeed(`did ${content}`) }))

/** An application: its client is Venom's too. */
const application = () =>
  Engine.layer.pipe(
    Layer.provideMerge(echo),
    Layer.provideMerge(PostgresStateRepository.layerOfClient()),
    Layer.provideMerge(Postgres.client(url())),
    Layer.provideMerge(RandomBytes.layer)
  )

const order = Effect.fnUntraced(function* (name: string) {
  const sql = yield* PgClient.PgClient
  const { submit } = yield* Orchestrator
  yield* sql`create table if not exists orders (name text)`
  yield* sql`insert into orders (name) values (${name})`
  return yield* submit({ content: name })
})

describe("a submit in a transaction of the application", () => {
  it.live("happens with the rest of it: the task runs once it is committed, and not before", () =>
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient
      const { awaitFinal } = yield* Orchestrator
      const other = yield* StateRepository
      const committed = yield* Deferred.make<void>()
      const submitted = yield* Deferred.make<TaskId>()
      const working = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.gen(function* () {
            const task = yield* order("kept")
            yield* Deferred.succeed(submitted, task.id)
            yield* Deferred.await(committed)
            return task
          })
        )
      )
      // nobody else sees it, however long the rest takes
      assert.deepStrictEqual(yield* other.get(yield* Deferred.await(submitted)), Option.none())
      yield* Deferred.succeed(committed, undefined)
      const task = yield* Fiber.join(working)
      assert.include(yield* awaitFinal(task.id), { status: "COMPLETED", result: "did kept", attempt: 1 })
      assert.lengthOf(yield* sql`select 1 from orders where name = 'kept'`, 1)
    }).pipe(Effect.provide(Layer.fresh(application())))
  )

  it.live("is gone with the rest of it: there is neither an order nor a task", () =>
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient
      const repository = yield* StateRepository
      const before = yield* repository.counts
      const exit = yield* Effect.exit(
        sql.withTransaction(Effect.andThen(order("dropped"), Effect.fail("no such customer")))
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.lengthOf(yield* sql`select 1 from orders where name = 'dropped'`, 0)
      assert.deepStrictEqual((yield* repository.page({ text: "dropped" }, { limit: 9 })).tasks, [])
      assert.deepStrictEqual(yield* repository.counts, before)
    }).pipe(Effect.provide(Layer.fresh(application())))
  )
})
