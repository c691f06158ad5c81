import { writeSync } from "node:fs"
import { Effect } from "effect"
import * as CommandTaskRunner from "../../../src/adapters/runners/CommandTaskRunner.ts"
import { built, claimed } from "./attempts.ts"

/** A service that exits in the middle of an attempt. Says the process id of the program. */
const command = ["sh", "-c", `trap "" TERM; echo $$ >&2; while :; do sleep 1000; done`] as const
const exit = (pid: string) =>
  Effect.sync(() => {
    writeSync(1, pid)
    process.exit()
  })

void built(CommandTaskRunner.layer({ command })).pipe(
  Effect.flatMap((runner) => runner.run(claimed(""), { log: exit, progress: () => Effect.void })),
  Effect.scoped,
  Effect.runPromise
)
