import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { everything } from "../support/everything.ts"
import { configured, secret } from "./support/Configured.ts"
import { directory, launch, serve, until } from "./support/Service.ts"

/** What would begin an event of its own, or give orders to a terminal, where it was not held back. */
const hostile = `said\n{"level":"fatal","message":"forged"}\r\u001b[2J\u001b]0;title\u0007\u009b31m\u2028\u2029\u202e`
const orders = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u

const key = "key-0123456789-0123456789-0123456789"

describe("the log of the program", { concurrent: true }, () => {
  it.live("tells everything from debug on between two SIGUSR2", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, { VENOM_SIMULATED_DURATION: "0 millis", VENOM_LOG_LEVEL: "info" })
      const completed = Effect.gen(function* () {
        yield* venom.reaches(yield* venom.submit(""), "COMPLETED")
        return venom.log().filter(({ message }) => message === "Attempt completed").length
      })
      assert.strictEqual(yield* completed, 0)
      yield* venom.signal("SIGUSR2")
      yield* venom.heard(/^SIGUSR2: the log tells everything/)
      yield* venom.submit("")
      yield* venom.heard(/^Attempt completed/)
      yield* venom.settled
      const told = venom.log().filter(({ level }) => level === "debug").length
      yield* venom.signal("SIGUSR2")
      yield* venom.heard(/^SIGUSR2: the log is as configured/)
      yield* venom.reaches(yield* venom.submit(""), "COMPLETED")
      const { code } = yield* venom.stop
      assert.strictEqual(code, 0)
      assert.lengthOf(
        venom.log().filter(({ level }) => level === "debug"),
        told
      )
    })
  )

  it.live("is one event a line, whatever programs and handlers say, and tells no secret", () =>
    Effect.gen(function* () {
      const { data, path } = yield* configured(
        {
          types: {
            shell: { runner: "command", command: ["sh", "say.sh"] },
            module: { runner: "module", module: "handlers.ts" },
            service: { runner: "http", url: "http://127.0.0.1:9", secret: { variable: "HOOK" }, allow_private: true }
          },
          callback: { url: "http://127.0.0.1:9", secret: { variable: "HOOK" }, allow_private: true }
        },
        {
          "say.sh": `printf '%b' '${escapedFor(hostile)}' >&2; exit 1`,
          "handlers.ts": `
            const said = ${JSON.stringify(hostile)}
            export default {
              module: (task, { log }) => {
                log(said)
                console.error(said)
                process.stderr.write(said)
                throw Object.assign(new Error(said), { retryable: task.attempt === 1 })
              }
            }`
        }
      )
      const venom = yield* serve(data, {
        VENOM_RUNNERS_FILE: path,
        VENOM_API_KEY: key,
        VENOM_LOG_LEVEL: "trace",
        HOOK: secret,
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_HEADERS: "api-key=telemetry-key"
      })
      const ask = (path: string, authorization: string, body?: unknown) =>
        venom.ask({
          method: body === undefined ? "GET" : "POST",
          path,
          headers: { authorization, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
      const types = ["shell", "module", "service"]
      const tasks = types.map((type) => ({ type, content: `content of it ${hostile}`, max_attempts: 1 }))
      const { status } = yield* ask("/api/v1/tasks/bulk", `Bearer ${key}`, { tasks })
      assert.strictEqual(status, 201)
      yield* ask(`/api/v1/tasks?q=${encodeURIComponent(hostile)}`, `Bearer wrong-${key}`)
      yield* until(
        "three failures",
        ask("/api/v1/tasks?status=FAILED&limit=3", `Bearer ${key}`),
        ({ text }) => text.split('"failure":{').length === 4
      )
      yield* venom.stop
      const lines = venom.stderr().split("\n")
      for (const line of lines) assert.notMatch(line, orders)
      assert.isAtLeast(venom.log().filter(({ message }) => `${message}`.includes("forged")).length, 2)
      assert.isEmpty(venom.log().filter(({ level }) => level === "fatal"))
      for (const secrets of [key, "content of it", secret.slice(6), "telemetry-key"]) {
        assert.notInclude(venom.stderr(), secrets)
      }
    })
  )

  // it takes as long as a service waits for its database
  it.live.skipIf(!everything)("does not tell the password of a database", () =>
    Effect.gen(function* () {
      const venom = yield* launch(yield* directory, {
        VENOM_STORE: "postgres",
        VENOM_DATABASE_URL: "postgres://venom:the-password@127.0.0.1:9/venom",
        VENOM_LOG_LEVEL: "trace"
      })
      const { code, stderr, stdout } = yield* venom.ended
      assert.strictEqual(code, 1)
      assert.isNotEmpty(stderr)
      assert.notInclude(stderr + stdout, "the-password")
    })
  )
})

/** For `printf %b`: octal digits of each byte. */
function escapedFor(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("")
}
