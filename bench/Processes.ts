import { existsSync, readdirSync, readFileSync } from "node:fs"

/** A process and all its descendants; none where it has ended. */
const family = (pid: number): ReadonlyArray<number> => {
  if (!existsSync(`/proc/${pid}/task`)) return []
  return readdirSync(`/proc/${pid}/task`).reduce<ReadonlyArray<number>>(
    (found, thread) => found.concat(childrenOf(pid, thread).flatMap(family)),
    [pid]
  )
}

const childrenOf = (pid: number, thread: string): ReadonlyArray<number> => {
  const path = `/proc/${pid}/task/${thread}/children`
  const children = existsSync(path) ? readFileSync(path, "utf8").trim() : ""
  return children === "" ? [] : children.split(" ").map(Number)
}

const kibibytes = (pid: number): number => {
  try {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]
    return Number(pss ?? Number.NaN)
  } catch {
    // it has ended meanwhile
    return 0
  }
}

/** Only Linux tells: elsewhere there is no figure. */
const ifKnown = (value: number): number => (existsSync("/proc/self/stat") ? value : Number.NaN)

/** MiB that these processes and their descendants hold, what is shared counted once. */
export const residentMiB = (pids: ReadonlyArray<number>): number => {
  const everyone = new Set(pids.flatMap(family))
  return ifKnown([...everyone].reduce((sum, pid) => sum + kibibytes(pid), 0) / 1024)
}

const ticksPerSecond = 100

const processorMicros = (pid: number): number => {
  try {
    // the name of the program stands in parentheses and may hold anything
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
    return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6
  } catch {
    // it has ended meanwhile
    return 0
  }
}

/** Microseconds of processor time that these processes and their descendants have used. */
export const usedMicros = (pids: ReadonlyArray<number>): number =>
  ifKnown([...new Set(pids.flatMap(family))].reduce((sum, pid) => sum + processorMicros(pid), 0))
