import type { Task } from "../process/support/Wire.ts"
import type { Seen } from "./Witness.ts"

/** What is known for certain, whatever has become of nodes and database since. */
export interface Records {
  /** Ids of tasks that were acknowledged, by their contents. */
  readonly acknowledged: ReadonlyMap<string, string>
  /** Contents that were sent and never acknowledged. */
  readonly inDoubt: ReadonlySet<string>
  /** Tasks whose cancel was acknowledged, or may have happened, and when it was asked for. */
  readonly cancelled: ReadonlyMap<string, { readonly at: number; readonly acknowledged: boolean }>
  /** Final states that were read. */
  readonly finals: ReadonlyMap<string, Task>
  /** When nodes stood still, or could not reach the database. */
  readonly away: ReadonlyArray<{ readonly node: string; readonly from: number; readonly to: number }>
  readonly limits: { readonly type: string; readonly concurrency: number; readonly eachKey: number }
}

/** In the manner of a total queue: what comes in comes out, once. Gives every promise that is broken. */
export const check = (
  tasks: ReadonlyArray<Task>,
  attempts: ReadonlyArray<Seen>,
  records: Records
): ReadonlyArray<string> => [
  ...lost(tasks, records),
  ...ends(tasks, attempts, records),
  ...together(attempts, records),
  ...beyond(attempts, records)
]

const lost = (tasks: ReadonlyArray<Task>, { acknowledged, inDoubt }: Records): Array<string> => {
  const byContent = Map.groupBy(tasks, ({ content }) => content)
  const problems: Array<string> = []
  for (const [content, id] of acknowledged) {
    const found = byContent.get(content) ?? []
    if (found.length === 0) problems.push(`lost: ${id} was acknowledged and is not there`)
    if (found.length > 1) problems.push(`doubled: ${content} is there ${found.length} times, with one idempotency key`)
    if (found.length === 1 && found[0]?.id !== id) problems.push(`changed: ${id} has become ${found[0]?.id}`)
  }
  for (const [content, found] of byContent) {
    if (!acknowledged.has(content) && !inDoubt.has(content)) problems.push(`unexpected: nobody sent ${content}`)
    if (!acknowledged.has(content) && found.length > 1) problems.push(`doubled: ${content}, which was in doubt`)
  }
  return problems
}

const ends = (tasks: ReadonlyArray<Task>, attempts: ReadonlyArray<Seen>, records: Records): Array<string> => {
  const byTask = Map.groupBy(attempts, ({ task }) => task)
  const problems: Array<string> = []
  for (const task of tasks) {
    const { attempt, failure, id, result, status } = task
    const cancel = records.cancelled.get(id)
    const seen = records.finals.get(id)
    if (seen !== undefined && JSON.stringify(seen) !== JSON.stringify(task)) {
      problems.push(`changed: ${id} was read as ${seen.status} ${seen.result}, and is ${status} ${result}`)
    }
    if (cancel?.acknowledged === true && failure?.reason !== "cancelled") {
      problems.push(`overwritten: the cancel of ${id} was acknowledged, and it is ${status}`)
    }
    if (status === "FAILED" && (failure?.reason !== "cancelled" || cancel === undefined)) {
      problems.push(`failed: ${id} is FAILED: ${failure?.reason} ${failure?.message}`)
    }
    if (status === "COMPLETED") {
      const earned = (byTask.get(id) ?? []).some((one) => one.result === result && one.attempt === attempt)
      if (!earned) problems.push(`invented: no attempt ${attempt} of ${id} has brought ${result}`)
    }
    if (status === "PENDING" || status === "PROCESSING") problems.push(`stuck: ${id} is ${status}`)
  }
  return problems
}

/** The part of an attempt in which its node was certainly there: what a node holds that is away is lost to it. */
const presence = (seen: Seen, { away, cancelled }: Records): readonly [number, number] => {
  let to = Math.min(seen.ended, cancelled.get(seen.task)?.at ?? Number.POSITIVE_INFINITY)
  for (const one of away) {
    if (one.node === seen.node && one.from < seen.ended && one.to > seen.begun) to = Math.min(to, one.from)
  }
  return [seen.begun, to]
}

const together = (attempts: ReadonlyArray<Seen>, records: Records): Array<string> => {
  const problems: Array<string> = []
  for (const [task, ofTask] of Map.groupBy(attempts, (one) => one.task)) {
    const spans = ofTask.map((one) => presence(one, records)).toSorted(([a], [b]) => a - b)
    for (const [n, [from]] of spans.entries()) {
      const before = spans.slice(0, n).find(([, to]) => to > from)
      if (before !== undefined)
        problems.push(`twice: ${task} is done by two live claims for ${Math.round(before[1] - from)} ms`)
    }
  }
  return problems
}

interface Present {
  readonly seen: Seen
  readonly from: number
  readonly to: number
}

/** The most of them at one moment. */
const most = (attempts: ReadonlyArray<Seen>, records: Records): ReadonlyArray<Present> => {
  const present = attempts
    .map((seen): Present => {
      const [from, to] = presence(seen, records)
      return { seen, from, to }
    })
    .filter(({ from, to }) => to > from)
  let highest: ReadonlyArray<Present> = []
  for (const { from } of present) {
    const together = present.filter((one) => one.from <= from && one.to > from)
    if (together.length > highest.length) highest = together
  }
  return highest
}

/** For whoever looks what has happened. */
const told = (together: ReadonlyArray<Present>): string => {
  const first = Math.min(...together.map(({ from }) => from))
  return together
    .map(({ from, seen, to }) => {
      const span = [from, to].map((at) => Math.round(at - first)).join(" to ")
      return `${seen.task} attempt ${seen.attempt} on ${seen.node} from ${span} ms`
    })
    .join(", ")
}

const beyond = (attempts: ReadonlyArray<Seen>, records: Records): Array<string> => {
  const { concurrency, eachKey, type } = records.limits
  const ofKeys = Map.groupBy(
    attempts.filter(({ key }) => key.startsWith("key:")),
    ({ key }) => key
  )
  const groups = [
    { name: type, limit: concurrency, attempts: attempts.filter((one) => one.type === type) },
    ...Array.from(ofKeys, ([name, attempts]) => ({ name, limit: eachKey, attempts }))
  ]
  return groups.flatMap(({ attempts, limit, name }) => {
    const together = most(attempts, records)
    return together.length <= limit
      ? []
      : [`beyond: ${together.length} of ${name} at once, and ${limit} may be: ${told(together)}`]
  })
}
