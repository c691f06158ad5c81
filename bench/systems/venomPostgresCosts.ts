import process from "node:process"
import { Effect, Layer, Logger } from "effect"
import { Client } from "pg"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId } from "../../src/domain/Task.ts"
import { toJson } from "../../src/domain/TaskJson.ts"
import * as RandomBytes from "../../src/host/RandomBytes.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { asked, leave, tell } from "../Parent.ts"
import { postgresAnswers } from "../servers/Answers.ts"
import { content } from "../Values.ts"
import { measure } from "./costs.ts"
import { store } from "./VenomPostgres.ts"

/** What submit, claim and settle of 64 tasks cost beside so many that have finished, told whenever it is asked. */
export interface PostgresCostPlan {
  readonly port: number
  readonly finished: number
  readonly warm: number
  /** So many make one answer. */
  readonly turns: number
  readonly answers: number
}

const plan: PostgresCostPlan = JSON.parse(process.argv[2] ?? "{}")

/** Put in by one statement. */
const atOnce = 500_000

const someId = "00000000-0000-7000-8000-000000000000"
const finishedTask = () => {
  const now = Date.now() - 86_400_000
  const task = Lifecycle.submit({ content: "" }, { id: TaskId.make(someId), now, maxAttempts: 5 })
  return [Lifecycle.claim(now), Lifecycle.complete("done", now)].reduce((state, transition) => {
    const next = transition(state)
    return next._tag === "Success" ? next.success : state
  }, task)
}

/** Rows as they stand there when tasks have been completed one after the other for a day. */
const fillWith = async (rows: number): Promise<void> => {
  const client = new Client({ host: "127.0.0.1", port: plan.port, user: "postgres", database: "postgres" })
  await client.connect()
  const task = finishedTask()
  for (let from = 0; from < rows; from += atOnce) {
    await client.query(
      `with made as (
        select n, ($1::bigint + n / 100) as at, lpad(to_hex($1::bigint + n / 100), 12, '0') as time
        from generate_series($2::int, $3::int) as n
      ), named as (
        select n, at, overlay(overlay(time placing '-' from 9 for 0) placing '-7000-8000-' from 14 for 0)
          || lpad(to_hex(n), 12, '0') as id from made
      )
      insert into venom.task (id, status, type, priority, run_at, concurrency_key, tags, attempt, max_attempts, started_at,
        finished_at, owed, revision, content, state)
      select id::uuid, 'COMPLETED', 'default', 0, at, '', '[]', 1, 5, at, at, false, 3,
        lpad(n::text, 12, '0') || $4, replace($5, '${someId}', id)
      from named`,
      [task.createdAt, from, Math.min(from + atOnce, rows) - 1, content(0).slice(12), toJson(task)]
    )
  }
  await client.query("insert into venom.tally (type, status, n) values ('default', 'COMPLETED', $1)", [rows])
  await client.query("vacuum analyze venom.task")
  await client.query("checkpoint")
  await client.end()
}

const program = Effect.gen(function* () {
  // the tables are there
  yield* StateRepository
  yield* Effect.promise(() => fillWith(plan.finished))
  const requestOf = (n: number) => ({ content: content(n) })
  yield* measure(plan.warm, requestOf)
  yield* Effect.promise(() => tell({ ready: 1 }))
  for (let answers = 0; answers < plan.answers; answers++) {
    yield* Effect.promise(asked)
    const values = yield* measure(plan.turns, requestOf)
    yield* Effect.promise(() => tell(values))
  }
})

await postgresAnswers(plan.port)
const layer = store(plan.port).pipe(Layer.provideMerge(RandomBytes.layer), Layer.provide(Logger.layer([])))
await Effect.runPromise(Effect.provide(program, layer))
leave()
