import { readdir, readFile } from "node:fs/promises"
import { Effect } from "effect"

const readStat = (pid: string) => Effect.option(Effect.tryPromise(() => readFile(`/proc/${pid}/stat`, "latin1")))

/**
 * The process groups that have a member which is more than a zombie, read from Linux' /proc.
 *
 * A zombie keeps its group in being until someone reaps it. Processes that outlive their parent are
 * reaped by process 1, which some containers lack, and which others do only now and then.
 */
export const livingGroups = Effect.gen(function* () {
  const names = yield* Effect.tryPromise(() => readdir("/proc"))
  const stats = yield* Effect.forEach(
    names.filter((name) => /^\d+$/.test(name)),
    readStat,
    { concurrency: 64 }
  )
  // pid (name) state ppid pgrp …, and the name may hold blanks and brackets
  const fields = stats.flatMap((stat) =>
    stat._tag === "Some" ? [stat.value.slice(stat.value.lastIndexOf(")") + 2).split(" ")] : []
  )
  return new Set(fields.filter(([state]) => state !== "Z" && state !== "X").map(([, , group]) => Number(group)))
})
