import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result, Schedule } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as CommandTaskRunner from "../../../src/adapters/runners/CommandTaskRunner.ts"
import { attempt, built, claimed, groupRuns, listen, runs } from "./attempts.ts"

const sh = (script: string) => CommandTaskRunner.layer({ command: ["sh", "-c", script], grace: "100 millis" })

/** Says its process id and runs on. `trap "" TERM` is inherited by all that it starts. */
const stubborn = `sh -c 'trap "" TERM; echo $$ >&2; while :; do sleep 1000; done'`

const begun = Effect.fnUntraced(function* (layer: ReturnType<typeof sh>, lines: number) {
  const runner = yield* built(layer)
  const said = yield* listen
  const running = yield* Effect.forkChild(runner.run(claimed(""), said.handle))
  const pids = yield* Effect.replicateEffect(Effect.map(said.next, Number), lines)
  for (const pid of pids) assert.isTrue(runs(pid), `${pid} runs`)
  return { running, pids, said }
})

describe("ProcessGroup", { timeout: 30_000 }, () => {
  it.live("ends a whole group that is interrupted, and has ended when that returns", () =>
    Effect.gen(function* () {
      const { pids, running } = yield* begun(sh(`sh -c 'echo $$ >&2; sleep 1000' & echo $$ >&2; wait`), 2)
      yield* Fiber.interrupt(running)
      for (const pid of pids) assert.isFalse(runs(pid) || (yield* groupRuns(pid)))
    })
  )

  it.live("kills those who ignore SIGTERM, leader or not", () =>
    Effect.gen(function* () {
      const { pids, running } = yield* begun(sh(`${stubborn} & ${stubborn} & trap "" TERM; echo $$ >&2; wait`), 3)
      yield* Fiber.interrupt(running)
      for (const pid of pids) assert.isFalse(runs(pid) || (yield* groupRuns(pid)))
    })
  )

  it.live("leaves a program time to end by itself, and hears what it says then", () =>
    Effect.gen(function* () {
      const script = `
        setInterval(() => {}, 1000)
        process.on("SIGTERM", () => {
          console.error("cleaning up")
          setTimeout(() => process.exit(console.error("done")), 50)
        })
        console.error(process.pid)
      `
      const layer = CommandTaskRunner.layer({ command: [process.execPath, "-e", script], grace: "10 minutes" })
      const { pids, running, said } = yield* begun(layer, 1)
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual(yield* said.all, ["cleaning up", "done"])
      for (const pid of pids) assert.isFalse(runs(pid))
    })
  )

  for (const [name, script] of [
    ["quiet", `sleep 1000 >/dev/null 2>&1 <&- & echo $! >&2; echo done`],
    ["holding its output", `sleep 1000 & echo $! >&2; echo done`],
    ["writing on", `(while :; do echo more; sleep 0.02; done) & echo $! >&2; echo done`],
    ["ignoring SIGTERM", `${stubborn} & sleep 0.1; echo done`],
    ["left by a failure", `sleep 1000 & echo $! >&2; echo done; exit 1`]
  ] as const) {
    it.live(`ends what a program leaves running in its group: ${name}`, () =>
      Effect.gen(function* () {
        const { lines, result } = yield* attempt(sh(script), "")
        if (name === "left by a failure") assert.isTrue(Result.isFailure(result))
        else assert.match(Result.getOrThrow(result), /^done$/m)
        assert.isFalse(runs(Number(lines[0])))
      })
    )
  }

  it.live("does not wait for a process that has left the group with the output in its hands", () =>
    Effect.gen(function* () {
      const script = `
        const options = { detached: true, stdio: "inherit" }
        const { pid } = require("node:child_process").spawn("sleep", ["1000"], options)
        process.stdout.write(String(pid), () => process.exit())
      `
      const { lines, result } = yield* attempt(
        CommandTaskRunner.layer({ command: [process.execPath, "-e", script] }),
        ""
      )
      assert.match(lines.join(), /out of reach holds stdout open/)
      process.kill(Number(Result.getOrThrow(result)), "SIGKILL")
    })
  )

  it.live("loses no output of a program that has ended, however busy the service is", () =>
    Effect.gen(function* () {
      const idle = new Int32Array(new SharedArrayBuffer(4))
      yield* Effect.acquireRelease(
        Effect.sync(() => setInterval(() => Atomics.wait(idle, 0, 0, 300), 1)),
        (interval) => Effect.sync(() => clearInterval(interval))
      )
      const dd = CommandTaskRunner.layer({ command: "dd if=/dev/zero bs=200000 count=2" })
      const { result } = yield* attempt(dd, "")
      assert.strictEqual(Result.getOrThrow(result).length, 400_000)
    })
  )

  it.live("leaves nothing behind after 200 interrupted attempts", () =>
    Effect.gen(function* () {
      const held = () => process.getActiveResourcesInfo().filter((name) => /^(Process|Pipe)Wrap$/.test(name)).length
      const before = held()
      const marker = `4242.${process.pid}`
      const runner = yield* built(sh(`sleep ${marker} & cat; wait`))
      const said = yield* listen
      yield* Effect.forEach(
        Array.from({ length: 200 }, (_, n) => n),
        (n) => Effect.timeoutOption(runner.run(claimed("content"), said.handle), n % 40),
        { concurrency: 8 }
      )
      // the handles are closed; the event loop lets go of them in its next turns
      yield* Effect.sync(held).pipe(
        Effect.filterOrFail(
          (now) => now <= before,
          (now) => `${now} handles, ${before} before`
        ),
        Effect.retry(Schedule.upTo(Schedule.spaced("5 millis"), { times: 100 }))
      )
      if (process.platform !== "linux") return
      const left = readdirSync("/proc").filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(marker)
        } catch {
          // no process, or gone meanwhile
          return false
        }
      })
      assert.deepStrictEqual(left, [])
    })
  )

  it.live("goes down with the service when that exits at once", () =>
    Effect.gen(function* () {
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const script = new URL("exitsAtOnce.ts", import.meta.url).pathname
      const pid = Number(yield* spawner.string(ChildProcess.make(process.execPath, [script], { stderr: "inherit" })))
      assert.isAbove(pid, 1)
      yield* Effect.sync(() => runs(pid)).pipe(
        Effect.filterOrFail(
          (running) => !running,
          () => `${pid} runs on`
        ),
        Effect.retry(Schedule.upTo(Schedule.spaced("10 millis"), { times: 200 }))
      )
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
