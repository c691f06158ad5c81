import { Metric } from "effect"

/** What every store counts, under the same names. An adapter updates what it has. */

const seconds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]

export const commitSeconds = Metric.histogram("venom_store_commit_seconds", {
  description: "How long a batch of changes took to be durable",
  boundaries: seconds
})

export const batchRecords = Metric.histogram("venom_store_batch_records", {
  description: "Changes that became durable together",
  boundaries: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]
})

export const errors = Metric.counter("venom_store_errors_total", {
  description: "Batches and dumps that storage refused",
  incremental: true
})

const bytes = (file: string) =>
  Metric.gauge("venom_store_bytes", {
    description: "Bytes of the last dump, and of the journal since then",
    attributes: { file }
  })

export const journalBytes = bytes("journal")
export const dumpBytes = bytes("dump")
