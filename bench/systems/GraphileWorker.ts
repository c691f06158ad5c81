import { Logger, makeWorkerUtils, run, type Runner } from "graphile-worker"
import { Pool, type PoolClient, type QueryResult } from "pg"
import { postgresAnswers } from "../servers/Answers.ts"
import { concurrency, type Open } from "./System.ts"

/** What takes finished jobs away: `job:complete` comes before that is durable, and nobody waits for it. */
const isCompletion = (query: unknown): boolean =>
  typeof query === "object" && query !== null && "text" in query && String(query.text).startsWith("delete from")

/** Tells of finished jobs when they are gone from the database. */
const tell = (client: PoolClient, completed: (count: number) => void): void => {
  client.query = new Proxy(client.query, {
    apply: (query, self, [asked, ...more]) => {
      const answer: unknown = Reflect.apply(query, self, [asked, ...more])
      if (isCompletion(asked) && answer instanceof Promise) {
        answer.then(({ rowCount }: QueryResult) => completed(rowCount ?? 0)).catch(() => {})
      }
      return answer
    }
  })
}

const silent = new Logger(() => () => {})

export const open: Open = async ({ port }) => {
  await postgresAnswers(port)
  const pgPool = new Pool({ host: "127.0.0.1", port, user: "postgres", database: "postgres", max: 32 })
  pgPool.on("error", () => {})
  let completed = (_count: number) => {}
  pgPool.on("connect", (client) => {
    client.on("error", () => {})
    tell(client, (count) => completed(count))
  })
  const utils = await makeWorkerUtils({ pgPool, logger: silent })
  await utils.migrate()
  let runner: Runner | undefined
  const stopWorking = async () => {
    await runner?.stop()
    runner = undefined
  }
  return {
    submit: async (content) => (await utils.addJob("task", { content })).id,
    submitMany: async (contents) => {
      await utils.addJobs(contents.map((content) => ({ identifier: "task", payload: { content } })))
    },
    get: async (id) => {
      const { rows } = await pgPool.query({
        name: "get",
        text: "select id, payload->>'content' as content, locked_at, last_error, created_at, attempts from graphile_worker._private_jobs where id = $1",
        values: [id]
      })
      const job: unknown = rows[0]
      return typeof job === "object" && job !== null ? job : undefined
    },
    work: async (on) => {
      completed = on.completed
      runner = await run({
        pgPool,
        logger: silent,
        noHandleSignals: true,
        taskList: { task: () => on.started() },
        preset: {
          worker: { concurrentJobs: concurrency, localQueue: { size: concurrency + 1 }, completeJobBatchDelay: 0 }
        }
      })
    },
    stopWorking,
    close: async () => {
      await stopWorking()
      await utils.release()
      await pgPool.end()
    }
  }
}
