import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isRunning } from "./support/Files.ts"
import { directory, serve, until } from "./support/Service.ts"
import { tasksOf } from "./support/Wire.ts"

const instantly = { VENOM_SIMULATED_DURATION: "0 seconds" }
const forever = { VENOM_SIMULATED_DURATION: "1 hour" }
const shell = (script: string) => ({ VENOM_RUNNER: "command", VENOM_COMMAND: `sh -c '${script}'` })

/** Contents that something on the way might not leave alone. */
const contents: Readonly<Record<string, string>> = {
  "nothing at all": "",
  "line ends of all kinds": "a\nb\r\nc\rd\u2028e\u2029f\u0085g\u000bh",
  "control characters": "\u0000\u0001\u001b\u007f\u009f\ufeff",
  "quotes and backslashes": `"\\" \\\\ \\u0041 </script> %41 \${x}`,
  "letters of the world": "Grüße, 你好, עברית, 👩‍👩‍👧‍👦, e\u0301 and é",
  "halves of surrogate pairs": "a\ud800b\udc00\ud83d",
  "what looks like a record": `00000000 {"seq":1,"id":"x","set":{}}\n],"crc32":"00000000"}`,
  "blanks at the ends": "  \t x \n\n",
  "a mebibyte": "€".repeat(349_525) + "x",
  "a mebibyte of escapes": "\u0001".repeat(300_000)
}

describe("a task", { concurrent: true }, () => {
  it.live("is PENDING when its submit is answered, then PROCESSING, then COMPLETED with a result", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, { VENOM_SIMULATED_DURATION: "400 millis", VENOM_CONCURRENCY: "1" })
      const first = yield* venom.submit("first")
      const second = yield* venom.submit("second")
      assert.isBelow(first.localeCompare(second), 0)

      const processing = yield* venom.reaches(first, "PROCESSING")
      assert.include(processing, { content: "first", attempt: 1, type: "default", priority: 0, max_attempts: 5 })
      const pending = yield* venom.get(second)
      assert.include(pending, { status: "PENDING", content: "second", attempt: 0, started_at: null })
      assert.strictEqual(pending.run_at, pending.created_at)

      const done = yield* venom.reaches(second, "COMPLETED")
      assert.isString(done.result)
      assert.deepStrictEqual(
        done.attempts.map(({ attempt, error, outcome }) => ({ attempt, outcome, error })),
        [{ attempt: 1, outcome: "completed", error: null }]
      )
      assert.isAtLeast(Date.parse(`${done.finished_at}`) - Date.parse(`${done.started_at}`), 400)
      assert.strictEqual(done.updated_at, `${done.finished_at}`)
      assert.isAtLeast(done.logs.length, 2)
    })
  )

  it.live("keeps its content exactly, whatever it is, also over a kill -9 and a new start", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const before = yield* serve(data, instantly)
      const ids = new Map<string, string>()
      for (const [name, content] of Object.entries(contents)) ids.set(name, yield* before.submit(content))
      for (const [name, id] of ids) assert.strictEqual((yield* before.get(id)).content, contents[name], name)
      yield* before.kill
      const after = yield* serve(data, instantly)
      yield* after.settled
      for (const [name, id] of ids) assert.strictEqual((yield* after.get(id)).content, contents[name], name)
      yield* after.stop
      const again = yield* serve(data, instantly)
      for (const [name, id] of ids) assert.strictEqual((yield* again.get(id)).content, contents[name], name)
    })
  )

  it.live("echoes what its request said, and takes the defaults for the rest", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, { ...forever, VENOM_MAX_ATTEMPTS: "7" })
      const more = {
        type: "mail.send",
        priority: -100,
        run_at: "2031-02-03T05:05:06.789+01:00",
        max_attempts: 1,
        tags: ["a", "b"]
      }
      const task = yield* venom.get(yield* venom.submit("x", more))
      assert.deepInclude(task, {
        type: "mail.send",
        priority: -100,
        run_at: "2031-02-03T04:05:06.789Z",
        max_attempts: 1,
        status: "PENDING"
      })
      assert.strictEqual((yield* venom.get(yield* venom.submit("x"))).max_attempts, 7)
      const tagged = yield* Effect.flatMap(venom.ask({ path: "/api/v1/tasks?tag=b" }), tasksOf)
      assert.deepStrictEqual(
        tagged.map(({ id }) => id),
        [task.id]
      )
    })
  )

  it.live("does not run before its run_at, and then soon", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, instantly)
      const runAt = new Date(Date.now() + 1500)
      const id = yield* venom.submit("later", { run_at: runAt.toISOString() })
      yield* venom.reaches(yield* venom.submit("now"), "COMPLETED")
      assert.strictEqual((yield* venom.get(id)).status, "PENDING")
      const done = yield* venom.reaches(id, "COMPLETED")
      assert.isAtLeast(Date.parse(`${done.started_at}`), runAt.getTime())
      assert.isBelow(Date.parse(`${done.started_at}`), runAt.getTime() + 1000)
    })
  )

  it.live("of lower priority number runs first, the older one first among equals", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, {
        VENOM_CONCURRENCY: "1",
        VENOM_SIMULATED_DURATION: "20 millis"
      })
      // all become due in the same moment, when all have been sent
      const run_at = new Date(Date.now() + 3000).toISOString()
      const late = yield* venom.submit("late", { run_at, priority: 5 })
      const middle = yield* venom.submit("middle", { run_at })
      const middleToo = yield* venom.submit("middle too", { run_at })
      const urgent = yield* venom.submit("urgent", { run_at, priority: -5 })
      const all = yield* venom.settled
      const order = all.toSorted((a, b) => `${a.started_at}`.localeCompare(`${b.started_at}`)).map(({ id }) => id)
      assert.deepStrictEqual(order, [urgent, middle, middleToo, late])
    })
  )

  it.live("whose program fails is tried again after a while, and is FAILED when no attempt is left", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, shell("echo no luck >&2; exit 3"))
      const id = yield* venom.submit("x", { max_attempts: 2 })
      const waiting = yield* until(
        "the wait for a retry",
        venom.get(id),
        ({ attempt, status }) => status === "PENDING" && attempt === 1
      )
      assert.isAbove(Date.parse(waiting.run_at), Date.parse(waiting.created_at))
      const failed = yield* venom.reaches(id, "FAILED")
      assert.strictEqual(failed.attempt, 2)
      assert.strictEqual(failed.failure?.reason, "error")
      assert.match(`${failed.failure?.message}`, /exit code 3.*no luck/s)
      assert.deepStrictEqual(
        failed.attempts.map(({ outcome }) => outcome),
        ["error", "error"]
      )
      assert.isTrue(failed.logs.some((line) => line.endsWith("no luck")))
    })
  )

  it.live("gets its content on stdin, and what its program prints becomes its result", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, { VENOM_RUNNER: "command", VENOM_COMMAND: "wc -c" })
      const done = yield* venom.reaches(yield* venom.submit("Grüße\n"), "COMPLETED")
      assert.strictEqual(done.result?.trim(), "8")
    })
  )

  it.live("that takes longer than VENOM_TASK_TIMEOUT is FAILED with the reason timeout, its program ended", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const venom = yield* serve(data, { ...shell(`echo $$ >&2; exec sleep 1000`), VENOM_TASK_TIMEOUT: "300 millis" })
      const task = yield* venom.reaches(yield* venom.submit("x", { max_attempts: 1 }), "FAILED")
      assert.strictEqual(task.failure?.reason, "timeout")
      const pid = Number(task.logs.map((line) => / (\d+)$/.exec(line)?.[1]).find((digits) => digits !== undefined))
      assert.isAbove(pid, 1)
      assert.isFalse(yield* isRunning(pid))
    })
  )

  it.live("that says a lot keeps 200 lines of 2,000 characters, and one that counts what went", () =>
    Effect.gen(function* () {
      const venom = yield* serve(
        yield* directory,
        shell(
          `i=0; while [ $i -lt 500 ]; do echo line $i >&2; i=$((i+1)); done; head -c 9000 /dev/zero | tr "\\0" x >&2`
        )
      )
      const { logs } = yield* venom.reaches(yield* venom.submit("x"), "COMPLETED")
      assert.isAtMost(logs.length, 200)
      assert.isTrue(logs.every((line) => line.length <= 2000))
      assert.isTrue(
        logs.some((line) => /\b3\d\d\b.*(dropped|lost|left out)|(dropped|lost|left out).*\b3\d\d\b/.test(line)),
        logs[0]
      )
      assert.isTrue(logs.some((line) => line.endsWith("line 499")))
      assert.isFalse(logs.some((line) => line.endsWith("line 0")))
    })
  )
})
