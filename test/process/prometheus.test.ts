import { execFileSync, spawn, spawnSync } from "node:child_process"
import { createServer } from "node:net"
import { join } from "node:path"
import process from "node:process"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { write } from "./support/Files.ts"
import { ask } from "./support/Http.ts"
import { expressions, folder, text, variables } from "./support/Monitoring.ts"
import { directory, serve, until } from "./support/Service.ts"
import { Venom } from "./support/Venom.ts"

const isThere = (() => {
  try {
    execFileSync("promtool", ["--version"], { stdio: "ignore" })
    execFileSync("prometheus", ["--version"], { stdio: "ignore" })
    return true
  } catch {
    // it is not there
    return false
  }
})()
if (!isThere && process.env["CI"] === undefined)
  process.stderr.write("Prometheus is not there: its tests are skipped; apt-get install prometheus installs it\n")
const runs = isThere || process.env["CI"] !== undefined

const promtool = (args: ReadonlyArray<string>, input = "") =>
  spawnSync("promtool", args, { cwd: folder, encoding: "utf8", input })

const freePort = Effect.callback<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const Answer = Schema.fromJsonString(Schema.Struct({ status: Schema.String, data: Schema.Json }))
const decode = Schema.decodeUnknownSync(Answer)

const Targets = Schema.Struct({
  activeTargets: Schema.Array(
    Schema.Struct({ health: Schema.String, lastError: Schema.String, scrapePool: Schema.String })
  )
})
const Rules = Schema.Struct({
  groups: Schema.Array(
    Schema.Struct({
      rules: Schema.Array(
        Schema.Struct({
          name: Schema.String,
          health: Schema.String,
          state: Schema.String,
          lastError: Schema.optionalKey(Schema.String)
        })
      )
    })
  )
})
const Result = Schema.Struct({ result: Schema.Array(Schema.Json) })

/** What has to stand in a text once is replaced. */
const replaced = (from: string, pairs: ReadonlyArray<readonly [string, string]>): string =>
  pairs.reduce((sofar, [what, by]) => {
    assert.lengthOf(sofar.split(what), 2, what)
    return sofar.replace(what, by)
  }, from)

/** A real Prometheus with the example of the documents: its address and its interval alone are others. */
const prometheus = Effect.fnUntraced(function* (target: string, keyFile: string) {
  const place = yield* directory
  const port = yield* freePort
  const config = replaced(text("prometheus.yml"), [
    ["scrape_interval: 15s", "scrape_interval: 1s"],
    ["evaluation_interval: 15s", "evaluation_interval: 1s"],
    ["credentials_file: /etc/prometheus/venom.key", `credentials_file: ${keyFile}`],
    ["127.0.0.1:8000", target]
  ])
  yield* write(join(place, "prometheus.yml"), config)
  yield* write(join(place, "alerts.yml"), text("alerts.yml"))
  const args = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", `--web.listen-address=127.0.0.1:${port}`]
  yield* Effect.acquireRelease(
    Effect.sync(() => spawn("prometheus", args, { cwd: place, stdio: "ignore" })),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )
  const get = ask(`http://127.0.0.1:${port}`)
  yield* until(
    "Prometheus",
    Effect.option(get({ path: "/-/ready" })),
    (answer) => answer._tag === "Some" && answer.value.status === 200
  )
  const data = <A>(path: string, schema: Schema.Codec<A, unknown>) =>
    Effect.map(get({ path }), ({ text }) => {
      const answer = decode(text)
      assert.strictEqual(answer.status, "success", `${path}: ${text}`)
      return Schema.decodeUnknownSync(schema)(answer.data)
    })
  return {
    targets: Effect.map(data("/api/v1/targets", Targets), ({ activeTargets }) => activeTargets),
    rules: Effect.map(data("/api/v1/rules", Rules), ({ groups }) => groups.flatMap(({ rules }) => rules)),
    query: (expression: string) =>
      Effect.map(data(`/api/v1/query?query=${encodeURIComponent(expression)}`, Result), ({ result }) => result)
  }
})

describe.skipIf(!runs)("a real Prometheus", { concurrent: true }, () => {
  it("finds nothing wrong with the files of docs/monitoring, and every alert speaks when it should", () => {
    for (const args of [
      ["check", "rules", "alerts.yml"],
      ["check", "config", "--syntax-only", "prometheus.yml"],
      ["test", "rules", "alerts.test.yml"]
    ]) {
      const { status, stderr, stdout } = promtool(args)
      assert.strictEqual(status, 0, stdout + stderr)
    }
    const tested = text("alerts.test.yml").replaceAll(/\{ eval_time[^}]*\}/g, "")
    for (const [, alert] of text("alerts.yml").matchAll(/- alert: (\w+)/g)) {
      assert.match(
        tested,
        new RegExp(`alertname: ${alert}\\n +exp_alerts`),
        `${alert} is in no test in which it speaks`
      )
    }
  })

  it.live(
    "reads a service with its key, draws every panel, and says that a service is down",
    () =>
      Effect.gen(function* () {
        const data = yield* directory
        const { stdout: key } = yield* Effect.promise(() =>
          new Venom({ args: ["keys", "create", "--name", "prometheus", "--scope", "read", "--data-dir", data] }).ended()
        )
        const keyFile = join(yield* directory, "venom.key")
        yield* write(keyFile, key)
        const venom = yield* serve(data, { VENOM_API_KEY: "k".repeat(40), VENOM_SIMULATED_DURATION: "0 millis" })
        const headers = { authorization: `Bearer ${"k".repeat(40)}`, "content-type": "application/json" }
        yield* venom.ask({ method: "POST", path: "/api/v1/tasks", headers, body: '{"content":"hello"}' })

        const { text: metrics } = yield* venom.ask({ path: "/metrics", headers })
        const checked = promtool(["check", "metrics"], metrics)
        assert.deepStrictEqual([checked.status, checked.stdout, checked.stderr], [0, "", ""])

        const server = yield* prometheus(new URL(venom.url).host, keyFile)
        const [target] = yield* until(
          "the target",
          server.targets,
          (all) => all.length > 0 && all.every(({ health }) => health !== "unknown")
        )
        assert.deepInclude(target, { health: "up", lastError: "", scrapePool: "venom" })
        yield* until("the first sample", server.query("venom_ready"), (found) => found.length > 0)
        const rules = yield* until(
          "the rules",
          server.rules,
          (all) => all.length > 0 && all.every(({ health }) => health !== "unknown")
        )
        assert.lengthOf(rules, text("alerts.yml").split("- alert:").length - 1)
        for (const rule of rules) assert.deepInclude(rule, { health: "ok", state: "inactive" }, rule.lastError)

        for (const expression of expressions) yield* server.query(expression)
        for (const series of variables) assert.isNotEmpty(yield* server.query(series), series)
        assert.isNotEmpty(yield* server.query("venom_tasks_submitted_total == 1"))

        yield* venom.kill
        yield* until(
          "the alert",
          server.rules,
          (all) => all.find(({ name }) => name === "VenomDown")?.state === "firing",
          "2 minutes"
        )
      }),
    180_000
  )
})
