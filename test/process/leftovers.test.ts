import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { configured } from "./support/Configured.ts"
import { command } from "./support/Files.ts"
import { directory, type Service, serve, until } from "./support/Service.ts"
import { serve as receive } from "../adapters/http/servers.ts"

/** Processes of the system whose command line has a word, but for this one. */
const processesWith = (word: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.sync(() =>
    execFileSync("ps", ["-eo", "pid=,stat=,args="], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(word) && !/^\s*\d+\s+Z/.test(line) && !line.includes("ps -eo"))
  )

const threadsOf = ({ pid }: Service): number =>
  process.platform === "linux" ? readdirSync(`/proc/${pid}/task`).length : 0

describe("an attempt's process, request or thread never outlives its attempt", () => {
  /** Submits and cancels, some before they begin and most in the middle of it. */
  const cancelMany = (venom: Service, count: number, type: string, lines = 2) =>
    Effect.forEach(
      Array.from({ length: count }, (_, n) => n),
      Effect.fnUntraced(function* (n) {
        const id = yield* venom.submit(`${n}`, { type })
        if (n % 4 > 0) yield* until("it to begin", venom.get(id), ({ logs }) => logs.length > lines)
        const { status } = yield* venom.ask({ method: "POST", path: `/api/v1/tasks/${id}/cancel` })
        assert.strictEqual(status, 200)
      }),
      { concurrency: 16, discard: true }
    )

  it.live(
    "counted after 1,000 cancels of programs",
    () =>
      Effect.gen(function* () {
        const word = `left-over-${process.pid}`
        const { data, path } = yield* configured({
          types: {
            // one that has a child, and one that does not want to go
            child: { runner: "command", command: ["sh", "-c", `echo up >&2; sleep 1000 & wait; : ${word}`] },
            stubborn: {
              runner: "command",
              command: ["sh", "-c", `trap "" TERM; echo up >&2; while :; do sleep 0.1; done; : ${word}`]
            }
          }
        })
        const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path })
        yield* cancelMany(venom, 980, "child")
        yield* cancelMany(venom, 20, "stubborn")
        assert.deepStrictEqual(yield* processesWith(word), [])
        const { statuses } = yield* countsOf(venom)
        assert.deepInclude(statuses, { FAILED: 1000, PROCESSING: 0 })
      }),
    180_000
  )

  it.live(
    "counted after 1,000 cancels of requests",
    () =>
      Effect.gen(function* () {
        const silent = yield* receive(() => {})
        const settings = { VENOM_RUNNER: "http", VENOM_HTTP_URL: silent.url, VENOM_HTTP_ALLOW_PRIVATE: "true" }
        const venom = yield* serve(yield* directory, settings)
        yield* cancelMany(venom, 1000, "any", 1)
        // most were in the middle of it
        assert.isAbove(yield* silent.count, 500)
        yield* venom.settled
        yield* until("all connections to be closed", silent.connections, (count) => count === 0, "5 seconds")
      }),
    120_000
  )

  it.live(
    "counted after 1,000 cancels of handlers, some of which never return",
    () =>
      Effect.gen(function* () {
        const { data, path } = yield* configured(
          { types: { h: { runner: "module", module: "m.mjs", concurrency: 4 } } },
          {
            "m.mjs": `export default (task, { log, signal }) => {
            log("up")
            if (task.content.endsWith("77")) for (;;);
            return new Promise((resolve) => signal.addEventListener("abort", resolve))
          }`
          }
        )
        const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path })
        yield* venom.submit("warm", { type: "h" })
        const before = threadsOf(venom)
        yield* Effect.forEach(
          Array.from({ length: 10 }, (_, n) => n),
          (n) => cancelRange(venom, n * 100),
          { discard: true }
        )
        yield* Effect.forEach(yield* venom.list, ({ id, status }) =>
          status === "PROCESSING" ? venom.ask({ method: "POST", path: `/api/v1/tasks/${id}/cancel` }) : Effect.void
        )
        // at most one thread for each slot, where there was one for the first
        assert.isAtMost(threadsOf(venom), before + 3)
        const { statuses } = yield* countsOf(venom)
        assert.deepInclude(statuses, { FAILED: 1001, PROCESSING: 0 })
      }),
    180_000
  )

  const cancelRange = (venom: Service, from: number) =>
    Effect.forEach(
      Array.from({ length: 100 }, (_, n) => n + from),
      Effect.fnUntraced(function* (n) {
        const id = yield* venom.submit(`${n}`, { type: "h" })
        if (n % 3 === 0)
          yield* until("it to begin", venom.get(id), ({ logs }) => logs.some((line) => line.endsWith(" up")))
        yield* venom.ask({ method: "POST", path: `/api/v1/tasks/${id}/cancel` })
      }),
      { concurrency: 2, discard: true }
    )

  it.live("nor after a SIGKILL of the program that has started others", () =>
    Effect.gen(function* () {
      const word = `orphan-${process.pid}`
      const { data, path } = yield* configured({
        types: {
          parent: {
            runner: "command",
            command: ["sh", "-c", `sh -c 'while :; do sleep 0.1; done; : ${word}' & echo "pid $$" >&2; wait`]
          }
        }
      })
      const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path })
      const id = yield* venom.submit("x", { type: "parent", max_attempts: 1 })
      const { logs } = yield* until("its pid", venom.get(id), ({ logs }) => logs.some((line) => / pid \d+$/.test(line)))
      const [, pid = ""] = / pid (\d+)$/m.exec(logs.join("\n")) ?? []
      assert.isNotEmpty(yield* processesWith(word))
      assert.isTrue(yield* command("kill", "-KILL", pid))
      const task = yield* venom.reaches(id, "FAILED")
      assert.match(task.failure?.message ?? "", /was killed by SIGKILL/)
      assert.deepStrictEqual(yield* processesWith(word), [])
    })
  )
})

const countsOf = (venom: Service) =>
  Effect.map(venom.list, (tasks) => {
    const statuses = { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 }
    for (const { status } of tasks) statuses[status]++
    return { statuses }
  })
