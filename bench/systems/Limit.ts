import { randomUUID } from "node:crypto"
import { closeSync, existsSync, fdatasync, mkdirSync, openSync, readFileSync, write } from "node:fs"
import { crc32 } from "node:zlib"
import { concurrency, type Open, type WorkEvents } from "./System.ts"

/*
 * Plain Node at the limit: a Map, and a journal with group commit. Promises what Venom promises about a
 * no-op task: a submit and a final state are synced before anyone hears of them, a claim is written before
 * its attempt begins; one record with a checksum for each. And nothing else: no retries, no dump, no
 * priorities, no failing disks.
 */

interface Task {
  readonly id: string
  readonly content: string
  readonly created_at: string
  status: "PENDING" | "PROCESSING" | "COMPLETED"
  attempt: number
  started_at: string | null
  finished_at: string | null
  result: string | null
}

type Entry =
  | { readonly op: "submit"; readonly task: Task }
  | { readonly op: "claim"; readonly id: string; readonly at: string }
  | { readonly op: "complete"; readonly id: string; readonly at: string; readonly result: string }

interface Batch {
  lines: string
  synced: Array<() => void>
  written: Array<() => void>
}

const line = (entry: Entry): string => {
  const json = JSON.stringify(entry)
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`
}

export const open: Open = async ({ directory }) => {
  mkdirSync(directory, { recursive: true })
  const path = `${directory}/journal.jsonl`
  const tasks = new Map<string, Task>()
  const waiting: Array<Task> = []
  let next = 0
  let running = 0
  let events: WorkEvents | undefined
  let batch: Batch = { lines: "", synced: [], written: [] }
  let writing = false

  const apply = (entry: Entry): void => {
    if (entry.op === "submit") return void tasks.set(entry.task.id, entry.task)
    const task = tasks.get(entry.id)
    if (task === undefined) throw new Error(`the journal names an unknown task ${entry.id}`)
    if (entry.op === "claim")
      Object.assign(task, { status: "PROCESSING", attempt: task.attempt + 1, started_at: entry.at })
    else Object.assign(task, { status: "COMPLETED", finished_at: entry.at, result: entry.result })
  }

  if (existsSync(path)) {
    const bytes = readFileSync(path)
    for (let at = 0, end = bytes.indexOf(10); end >= 0; at = end + 1, end = bytes.indexOf(10, at)) {
      const json = bytes.subarray(at + 9, end)
      if (Number.parseInt(bytes.toString("latin1", at, at + 8), 16) !== crc32(json))
        throw new Error(`damage at byte ${at}`)
      const entry: Entry = JSON.parse(json.toString())
      apply(entry)
    }
    for (const task of tasks.values()) if (task.status !== "COMPLETED") waiting.push(task)
  }

  const file = openSync(path, "a")
  const fail = (error: Error): never => {
    throw error
  }
  const writeNext = (): void => {
    writing = batch.lines !== ""
    if (!writing) return
    const { lines, synced, written } = batch
    const bytes = Buffer.from(lines)
    batch = { lines: "", synced: [], written: [] }
    write(file, bytes, (error, count) => {
      if (error !== null || count !== bytes.length) return fail(error ?? new Error("a short write"))
      for (const go of written) go()
      if (synced.length === 0) return writeNext()
      fdatasync(file, (error) => {
        if (error !== null) return fail(error)
        for (const go of synced) go()
        writeNext()
      })
    })
  }
  const append = (entry: Entry, when: "written" | "synced", then: () => void): void => {
    batch.lines += line(entry)
    batch[when].push(then)
    // what is staged in this turn goes together
    if (!writing) {
      writing = true
      setImmediate(writeNext)
    }
  }

  const pump = (): void => {
    if (events === undefined) return
    const tasks = waiting.slice(next, next + concurrency - running)
    next += tasks.length
    for (const task of tasks) run(task, events)
    if (next > 10_000 && next * 2 > waiting.length) {
      waiting.splice(0, next)
      next = 0
    }
  }

  const run = ({ id }: Task, { completed, started }: WorkEvents): void => {
    running++
    const claim: Entry = { op: "claim", id, at: new Date().toISOString() }
    append(claim, "written", () => {
      apply(claim)
      started()
      const complete: Entry = { op: "complete", id, at: new Date().toISOString(), result: "done" }
      append(complete, "synced", () => {
        apply(complete)
        running--
        completed(1)
        pump()
      })
    })
  }

  const submit = (content: string): Promise<string> =>
    new Promise((resolve) => {
      const now = new Date().toISOString()
      const id = randomUUID()
      const task: Task = {
        id,
        content,
        created_at: now,
        status: "PENDING",
        attempt: 0,
        started_at: null,
        finished_at: null,
        result: null
      }
      const entry: Entry = { op: "submit", task }
      append(entry, "synced", () => {
        apply(entry)
        waiting.push(task)
        resolve(id)
        pump()
      })
    })

  return {
    submit,
    submitMany: async (contents) => void (await Promise.all(contents.map(submit))),
    get: (id) => Promise.resolve(tasks.get(id)),
    work: async (on) => {
      events = on
      pump()
    },
    stopWorking: async () => {
      events = undefined
    },
    close: async () => closeSync(file)
  }
}
