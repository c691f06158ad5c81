import { readFileSync } from "node:fs"
import { Context, Effect, Layer, Logger, Queue, Result, Schema } from "effect"
import { livingGroups } from "../../../src/adapters/runners/LivingGroups.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { TaskId, type VenomTask } from "../../../src/domain/Task.ts"
import { type AttemptHandle, TaskRunner } from "../../../src/ports/TaskRunner.ts"

const id = Schema.decodeSync(TaskId)("0190163d-8694-739b-aea5-966c26f8ad91")

/** A task in its first attempt. */
export const claimed = (content: string): VenomTask =>
  Result.getOrThrow(Lifecycle.claim(0)(Lifecycle.submit({ content, type: "test" }, { id, now: 0, maxAttempts: 3 })))

/** A runner of its own for this scope; what the service would log goes nowhere. */
export const built = <E>(layer: Layer.Layer<TaskRunner, E>) =>
  Effect.map(Layer.build(Layer.provide(layer, Logger.layer([]))), Context.get(TaskRunner))

/** What an attempt says, line by line, as it says it; and apart from that how far it was. */
export const listen = Effect.map(Queue.unbounded<string>(), (lines) => {
  const progress: Array<readonly [number | null, string | null]> = []
  const handle: AttemptHandle = {
    log: (line) => Effect.asVoid(Queue.offer(lines, line)),
    progress: (...told) => Effect.sync(() => void progress.push(told))
  }
  return { handle, next: Queue.take(lines), all: Queue.clear(lines), progress }
})

/** Runs one attempt to its end, with all that it said. */
export const attempt = Effect.fnUntraced(function* <E>(layer: Layer.Layer<TaskRunner, E>, content: string) {
  const runner = yield* built(layer)
  const said = yield* listen
  const result = yield* Effect.result(runner.run(claimed(content), said.handle))
  return { result, lines: yield* said.all, progress: said.progress }
})

/** Whether this process does anything still; a zombie does not. */
export const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    if (process.platform !== "linux") return true
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z"
  } catch {
    // no such process
    return false
  }
}

/** Whether a process group has a member that does anything still. */
export const groupRuns = (group: number) =>
  process.platform === "linux"
    ? Effect.map(livingGroups, (living) => living.has(group))
    : Effect.sync(() => runs(-group))
