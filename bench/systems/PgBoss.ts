import { setTimeout as pause } from "node:timers/promises"
import { PgBoss } from "pg-boss"
import { postgresAnswers } from "../servers/Answers.ts"
import { concurrency, type Open } from "./System.ts"

const queue = "bench"

/** Loops that fetch and complete side by side; together they hold 64 jobs. */
const fetchers = 2

interface Payload {
  readonly content: string
}

export const open: Open = async ({ port }) => {
  await postgresAnswers(port)
  const boss = new PgBoss({ host: "127.0.0.1", port, user: "postgres", database: "postgres", max: 32, schedule: false })
  boss.on("error", (error) => {
    throw error
  })
  await boss.start()
  await boss.createQueue(queue)
  let stopping = new AbortController()
  let loops: ReadonlyArray<Promise<void>> = []
  const stopWorking = async () => {
    stopping.abort()
    await Promise.all(loops)
  }
  return {
    submit: async (content) => {
      const id = await boss.send(queue, { content })
      if (id === null) throw new Error("the job has no id")
      return id
    },
    submitMany: async (contents) => {
      await boss.insert(
        queue,
        contents.map((content) => ({ data: { content } }))
      )
    },
    get: async (id) => {
      const [job] = await boss.findJobs<Payload>(queue, { id })
      if (job === undefined) return undefined
      return {
        id,
        content: job.data.content,
        status: job.state,
        result: job.output,
        created_at: job.createdOn,
        attempt: job.retryCount
      }
    },
    // fetch and complete called directly: `work` waits half a second between two looks, or for a notification
    work: async (on) => {
      stopping = new AbortController()
      const { signal } = stopping
      loops = Array.from({ length: fetchers }, async () => {
        while (!signal.aborted) {
          const jobs = await boss.fetch<Payload>(queue, { batchSize: concurrency / fetchers })
          if (jobs.length === 0) {
            await pause(1)
            continue
          }
          on.started()
          await boss.complete(
            queue,
            jobs.map(({ id }) => id),
            { value: "done" }
          )
          on.completed(jobs.length)
        }
      })
    },
    stopWorking,
    close: async () => {
      await stopWorking()
      await boss.stop({ graceful: false })
    }
  }
}
