import { readdirSync, readFileSync } from "node:fs"

/** A process and all its descendants. */
const family = (pid: number): ReadonlyArray<number> =>
  readdirSync(`/proc/${pid}/task`).reduce<ReadonlyArray<number>>(
    (found, thread) => {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim()
      return children === "" ? found : found.concat(children.split(" ").flatMap((child) => family(Number(child))))
    },
    [pid]
  )

const kibibytes = (pid: number): number => {
  try {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]
    return Number(pss ?? Number.NaN)
  } catch {
    // it has ended meanwhile
    return 0
  }
}

/** MiB that these processes and their descendants hold, what is shared counted once (Linux only). */
export const residentMiB = (pids: ReadonlyArray<number>): number => {
  const everyone = new Set(pids.flatMap(family))
  return [...everyone].reduce((sum, pid) => sum + kibibytes(pid), 0) / 1024
}
