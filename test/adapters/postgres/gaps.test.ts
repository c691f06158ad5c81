import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Fiber, Layer, Option, Stream } from "effect"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { type Repository, quiet } from "../../ports/repository/harness.ts"
import * as Postgres from "../../support/Postgres.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { lasting, ownServer } from "./databases.ts"

const url = ownServer({ max_prepared_transactions: "5" })

/** A repository, and its database. */
const begin = Effect.fnUntraced(function* (name: string) {
  const repository = Context.get(yield* Layer.build(lasting(url(), name)), StateRepository)
  const own = yield* Layer.build(Layer.fresh(Postgres.client(url().replace(/[^/]*$/, name))))
  return { repository, sql: Context.get(own, PgClient.PgClient) }
})

const first = <A>(stream: Stream.Stream<A>) => Effect.forkChild(Stream.runHead(stream), { startImmediately: true })

/** Until it is told that a task is there. */
const told = (repository: Repository, n: number) =>
  first(
    repository.changes.pipe(
      Stream.flatMap(Stream.fromIterable),
      Stream.filter(({ after }) => after?.id === idOf(n))
    )
  )

describe("a database that has lost its last changes, as after a failover", () => {
  it.live(
    "is heard again: there is a gap, what comes is told, and claims that are no more are lost",
    () =>
      Effect.gen(function* () {
        const { repository, sql } = yield* begin("lost")
        yield* repository.insert([submitted(1)])
        const second = yield* told(repository, 2)
        const [claimed] = yield* repository.claim({ limit: 1, now: 1 })
        yield* repository.insert([submitted(2)])
        yield* Fiber.join(second)
        const before = yield* repository.position
        const gap = yield* first(repository.gaps)
        const lost = yield* first(repository.lost)
        yield* sql.withTransaction(
          Effect.gen(function* () {
            yield* sql`delete from venom.task where id = ${idOf(2)}`
            yield* sql`update venom.task set status = 'PENDING', node = null`
            yield* sql`delete from venom.change where seq > 1`
            yield* sql`select setval(pg_get_serial_sequence('venom.change', 'seq'), 1)`
          })
        )
        yield* Fiber.join(gap)
        assert.isBelow(yield* repository.position, before)
        const { attempt, id } = yield* Effect.fromOption(yield* Fiber.join(lost))
        assert.deepStrictEqual([id, attempt], [claimed?.id, 1])
        const third = yield* told(repository, 3)
        yield* repository.insert([submitted(3)])
        yield* Fiber.join(third)
      }).pipe(Effect.scoped, Effect.provide(quiet)),
    15_000
  )
})

describe("a node that has died", () => {
  it.live("has all its tasks rescued at once, however many they are", () =>
    Effect.gen(function* () {
      const { repository, sql } = yield* begin("died")
      const tasks = Array.from({ length: 1001 }, (_, n) => submitted(n))
      yield* repository.insert(tasks)
      assert.lengthOf(yield* repository.claim({ limit: 2000, now: 1 }), tasks.length)
      yield* sql`update venom.task set node = gen_random_uuid()`
      assert.lengthOf(yield* repository.rescue(Lifecycle.rescue(3, 2)), tasks.length)
      assert.strictEqual((yield* repository.counts).PENDING, tasks.length)
    }).pipe(Effect.scoped, Effect.provide(quiet))
  )
})

describe("a transaction that commits after what came later was told", () => {
  it.live(
    "is a gap when it commits: streams begin anew, and what it has made due is hinted at",
    () =>
      Effect.gen(function* () {
        const { repository, sql } = yield* begin("late")
        yield* sql
          .withTransaction(
            Effect.gen(function* () {
              yield* sql`insert into venom.change (body) values (${JSON.stringify(["entry"])})`
              yield* sql`prepare transaction 'late'`
            })
          )
          .pipe(Effect.ignore)
        const second = yield* told(repository, 2)
        yield* repository.insert([submitted(2)])
        yield* Fiber.join(second)
        const before = yield* repository.position
        const gap = yield* first(repository.gaps)
        const changed = yield* first(repository.changedEntries)
        assert.isUndefined(gap.pollUnsafe())
        yield* sql`commit prepared 'late'`
        yield* Fiber.join(gap)
        assert.isAbove(yield* repository.position, before)
        assert.deepStrictEqual(yield* Fiber.join(changed), Option.some("entry"))
      }).pipe(Effect.scoped, Effect.provide(quiet)),
    20_000
  )
})
