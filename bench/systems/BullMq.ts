import { Queue, Worker } from "bullmq"
import { redisAnswers } from "../servers/Answers.ts"
import { concurrency, type Open } from "./System.ts"

interface Payload {
  readonly content: string
}

export const open: Open = async ({ port }) => {
  await redisAnswers(port)
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null }
  const queue = new Queue<Payload, string>("bench", { connection })
  let worker: Worker<Payload, string> | undefined
  return {
    submit: async (content) => {
      const { id } = await queue.add("task", { content })
      if (id === undefined) throw new Error("the job has no id")
      return id
    },
    submitMany: async (contents) => {
      await queue.addBulk(contents.map((content) => ({ name: "task", data: { content } })))
    },
    get: async (id) => {
      const job = await queue.getJob(id)
      if (job === undefined) return undefined
      const { attemptsMade, data, finishedOn, processedOn, returnvalue, timestamp } = job
      const status = finishedOn !== undefined ? "COMPLETED" : processedOn !== undefined ? "PROCESSING" : "PENDING"
      return { id, content: data.content, status, result: returnvalue, created_at: timestamp, attempt: attemptsMade }
    },
    work: async (on) => {
      worker = new Worker<Payload, string>(
        "bench",
        async () => {
          on.started()
          return "done"
        },
        { connection, concurrency }
      )
      worker.on("completed", () => on.completed(1))
      await worker.waitUntilReady()
    },
    stopWorking: async () => worker?.close(),
    close: async () => {
      await worker?.close()
      await queue.close()
    }
  }
}
