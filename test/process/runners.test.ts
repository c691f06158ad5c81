import { execFileSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { configured, secret, signatureOf } from "./support/Configured.ts"
import { directory, launch, serve, until } from "./support/Service.ts"
import { serve as receive } from "../adapters/http/servers.ts"

const python = (() => {
  try {
    execFileSync("python3", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    // it is not there
    return false
  }
})()
if (!python && process.env["CI"] === undefined) process.stderr.write("python3 is not there: its tests are skipped\n")

describe("each type of task has its runner", { concurrent: true }, () => {
  it.live("a shell script, a module and a service; other types are held", () =>
    Effect.gen(function* () {
      const service = yield* receive((response, { body }) => response.end(`${body.length} letters`))
      const { data, path } = yield* configured(
        {
          types: {
            shell: { runner: "command", command: ["sh", "upper.sh"], environment: { SIGN: "!" } },
            module: { runner: "module", module: "handlers.ts", concurrency: 1 },
            service: { runner: "http", url: service.url, secret: { variable: "HOOK_SECRET" }, allow_private: true }
          }
        },
        {
          "upper.sh": 'echo "in $PWD as $VENOM_TASK_TYPE" >&2; printf "%s%s" "$(tr a-z A-Z)" "$SIGN"',
          "handlers.ts": `
            type Task = { readonly content: string }
            type Context = { log(line: string): void; progress(percent: number, message: string): void }
            export default {
              module: async (task: Task, { log, progress }: Context) => {
                log("reversing")
                progress(50, "half")
                return [...task.content].reverse().join("")
              }
            }`
        }
      )
      const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path, HOOK_SECRET: secret })
      const run = (type: string) =>
        Effect.flatMap(venom.submit("hello", { type }), (id) => venom.reaches(id, "COMPLETED"))
      const shell = yield* run("shell")
      assert.strictEqual(shell.result, "HELLO!")
      assert.match(shell.logs.join("\n"), new RegExp(`in ${join(path, "..")} as shell`))
      const module = yield* run("module")
      assert.strictEqual(module.result, "olleh")
      assert.match(module.logs.join("\n"), /reversing/)
      const asked = yield* run("service")
      assert.strictEqual(asked.result, "5 letters")
      const { body, headers } = yield* service.next
      assert.strictEqual(headers["webhook-id"], asked.id)
      assert.strictEqual(headers["webhook-signature"], signatureOf(asked.id, headers["webhook-timestamp"], body))

      const held = yield* venom.submit("hello")
      const why = yield* until("why", venom.ask({ path: `/api/v1/tasks/${held}/why` }), ({ text }) =>
        text.includes("no_handler")
      )
      assert.match(why.text, /no handler for type default here/)
      assert.strictEqual((yield* venom.get(held)).status, "PENDING")
    })
  )

  it.live.skipIf(!python && process.env["CI"] === undefined)("a Python file", () =>
    Effect.gen(function* () {
      const { data, path } = yield* configured(
        { types: { words: { runner: "command", command: "python3 words.py" } } },
        {
          "words.py": `import json, os, sys
text = sys.stdin.read()
print(json.dumps({"progress": {"percent": 50, "message": "counting"}}), file=sys.stderr)
print("attempt", os.environ["VENOM_ATTEMPT"], file=sys.stderr)
print(json.dumps({"words": len(text.split())}))
`
        }
      )
      const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path })
      const id = yield* venom.submit("one two three", { type: "words" })
      const task = yield* venom.reaches(id, "COMPLETED")
      assert.strictEqual(task.result, '{"words": 3}')
      assert.match(task.logs.join("\n"), /attempt 1$/m)
    })
  )

  it.live("limits and timeouts of a type are held to", () =>
    Effect.gen(function* () {
      const { data, path } = yield* configured({
        types: {
          slow: { runner: "command", command: "sleep 1000", timeout: "300 millis", concurrency: 1 },
          two: { runner: "simulated", duration: "200 millis", concurrency: 2 }
        },
        others: { runner: "simulated", duration: "0 millis" }
      })
      const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path })
      const slow = yield* venom.submit("x", { type: "slow", max_attempts: 1 })
      yield* venom.reaches(slow, "PROCESSING")
      const next = yield* venom.submit("x", { type: "slow", max_attempts: 1 })
      assert.strictEqual((yield* venom.get(next)).status, "PENDING")
      const failed = yield* venom.reaches(slow, "FAILED")
      assert.deepInclude(failed.failure, { reason: "timeout", message: "still running after 300ms" })
      yield* Effect.forEach(Array.from({ length: 6 }), () => venom.submit("x", { type: "two" }))
      const tasks = (yield* venom.settled).filter(({ type }) => type === "two")
      const times = tasks.map(({ finished_at, started_at }) => [
        Date.parse(`${started_at}`),
        Date.parse(`${finished_at}`)
      ])
      for (const [begun = 0] of times) {
        const running = times.filter(([from = 0, to = 0]) => from <= begun && begun < to)
        assert.isAtMost(running.length, 2)
      }
      const other = yield* venom.submit("x")
      yield* venom.reaches(other, "COMPLETED")
    })
  )

  it.live("a file that is wrong stops the start, with exit code 2 and a line for each problem", () =>
    Effect.gen(function* () {
      const refused = Effect.fnUntraced(function* (runners: unknown, files: Readonly<Record<string, string>> = {}) {
        const { data, path } = yield* configured(runners, files)
        const { code, stderr } = yield* (yield* launch(data, { VENOM_RUNNERS_FILE: path })).ended
        assert.strictEqual(code, 2)
        return stderr
          .trim()
          .split("\n")
          .filter((line) => !line.startsWith('{"time"'))
          .map((line) => line.replace(path, "FILE"))
      })
      assert.deepStrictEqual(yield* refused({ types: { a: { runner: "command" }, b: { runner: "http", url: 1 } } }), [
        "venom serve: FILE: types.a.command: Missing",
        "venom serve: FILE: types.b.url: Expected string"
      ])
      const files = { "m.mjs": "export default { b() {} }" }
      const named = {
        a: { runner: "command", command: "./no-such-program" },
        b: { runner: "command", command: "cat" },
        c: { runner: "module", module: "no-such-module.mjs" },
        d: { runner: "module", module: "m.mjs" }
      }
      const others = { runner: "command", command: "./nor-this" }
      const missing = [
        /types\.a: There is no program/,
        /types\.c: the module /,
        /types\.d: .*no handler for d/,
        /others: There/
      ]
      for (const [wrong, first] of [
        [{}, []],
        [{ "no good": { runner: "command", command: "cat" } }, [/types: no task can have the type "no good"/]]
      ] as const) {
        const lines = yield* refused({ types: { ...wrong, ...named }, others }, files)
        const says = [...first, ...missing]
        assert.lengthOf(lines, says.length, lines.join("\n"))
        says.forEach((line, at) => assert.match(lines[at] ?? "", line))
      }
      const [program = ""] = yield* refused({ types: { a: { runner: "command", command: "./no-such-program" } } })
      assert.match(program, /FILE: types\.a: There is no program to execute at \.\/no-such-program/)
      const [module = ""] = yield* refused(
        { types: { a: { runner: "module", module: "m.mjs" } } },
        { "m.mjs": "oh no" }
      )
      assert.match(module, /FILE: types\.a: the module .*m\.mjs: /)
      const [handler = ""] = yield* refused(
        { types: { a: { runner: "module", module: "m.mjs" } } },
        { "m.mjs": "export default { b() {} }" }
      )
      assert.match(handler, /FILE: types\.a: .*no handler for a/)
    })
  )
})

describe("one runner for all, without a file", { concurrent: true }, () => {
  it.live("a module, whose types are the ones that are claimed", () =>
    Effect.gen(function* () {
      const { data, place } = yield* configured({}, { "m.mjs": "export default { a: ({ content }) => content + '!' }" })
      const venom = yield* serve(data, { VENOM_RUNNER: "module", VENOM_MODULE: join(place, "m.mjs") })
      const id = yield* venom.submit("x", { type: "a" })
      assert.strictEqual((yield* venom.reaches(id, "COMPLETED")).result, "x!")
      const held = yield* venom.submit("x", { type: "b" })
      yield* Effect.sleep("100 millis")
      assert.strictEqual((yield* venom.get(held)).status, "PENDING")
    })
  )

  it.live("a service, retried when it says so", () =>
    Effect.gen(function* () {
      let asked = 0
      const service = yield* receive((response) =>
        asked++ === 0 ? response.writeHead(503, { "retry-after": "1" }).end() : response.end("done")
      )
      const settings = { VENOM_RUNNER: "http", VENOM_HTTP_URL: service.url, VENOM_HTTP_ALLOW_PRIVATE: "true" }
      const venom = yield* serve(yield* directory, settings)
      const id = yield* venom.submit("x")
      const task = yield* venom.reaches(id, "COMPLETED")
      assert.deepInclude(task, { result: "done", attempt: 2 })
      const [first, second] = [yield* service.next, yield* service.next]
      assert.strictEqual(first.headers["webhook-id"], second.headers["webhook-id"])
      assert.deepStrictEqual([first.headers["venom-attempt"], second.headers["venom-attempt"]], ["1", "2"])
      assert.notProperty(first.headers, "webhook-signature")
    })
  )

  it.live("no service of this machine, unless that is said", () =>
    Effect.gen(function* () {
      const settings = { VENOM_RUNNER: "http", VENOM_HTTP_URL: "http://localhost:9/" }
      const { code, stderr } = yield* (yield* launch(yield* directory, settings)).ended
      assert.strictEqual(code, 2)
      assert.match(
        stderr,
        /^venom serve: VENOM_HTTP_URL "http:\/\/localhost:9\/": localhost is no host of the internet/
      )
    })
  )
})

describe("work that never waits", () => {
  it.live(
    "does not keep the service from answering: 8 tasks that spin",
    () =>
      Effect.gen(function* () {
        const { data, path } = yield* configured(
          { types: { spin: { runner: "module", module: "m.mjs" } } },
          { "m.mjs": "export default () => { const end = Date.now() + 1000; while (Date.now() < end); return 'spun' }" }
        )
        const venom = yield* serve(data, { VENOM_RUNNERS_FILE: path })
        const ids = yield* Effect.forEach(Array.from({ length: 8 }), () => venom.submit("x", { type: "spin" }))
        const times: Array<number> = []
        yield* until(
          "all to be done",
          Effect.gen(function* () {
            const begun = performance.now()
            yield* venom.ask({ path: "/health/live" })
            times.push(performance.now() - begun)
            return yield* venom.get(ids.at(-1) ?? "")
          }),
          ({ status }) => status === "COMPLETED"
        )
        assert.isTrue((yield* venom.list).every(({ result }) => result === "spun"))
        const sorted = times.toSorted((a, b) => a - b)
        assert.isAbove(sorted.length, 50)
        // a spin on the thread of the service would be ten times as long
        assert.isBelow(sorted[Math.floor(sorted.length * 0.99)] ?? 1000, 100)
      }),
    120_000
  )
})
