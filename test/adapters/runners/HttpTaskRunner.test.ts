import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Result, Schema } from "effect"
import * as HttpTaskRunner from "../../../src/adapters/runners/HttpTaskRunner.ts"
import * as Signature from "../../../src/adapters/http/Signature.ts"
import { attempt, built, claimed, listen } from "./attempts.ts"
import { serve } from "../http/servers.ts"

const key = Buffer.alloc(32, 5)
const secret = Schema.decodeSync(Signature.Secret)(`whsec_${key.toString("base64")}`)

const asking = (url: string, options: Partial<HttpTaskRunner.HttpOptions> = {}) =>
  HttpTaskRunner.layer({ url, secrets: [secret], headers: {}, allowPrivate: true, ...options })

const answers = (status: number, body: string | Buffer = "", headers: Record<string, string> = {}) =>
  serve((response) => response.writeHead(status, headers).end(body))

const resultOf = (layer: ReturnType<typeof asking>, content = "") =>
  Effect.flatMap(attempt(layer, content), ({ result }) => Effect.fromResult(result))
const failureOf = (layer: ReturnType<typeof asking>, content = "") =>
  Effect.map(attempt(layer, content), ({ result }) =>
    Result.match(result, {
      onSuccess: (value) => assert.fail(`succeeded with ${value}`),
      onFailure: (failure) => failure
    })
  )

describe("HttpTaskRunner: what is sent", { timeout: 30_000 }, () => {
  it.live("is the content as it is, signed, with the task's id and the attempt", () =>
    Effect.gen(function* () {
      const service = yield* answers(200, "done")
      const content = "häuser, 文字, 😀\r\n\0"
      const result = yield* resultOf(asking(service.url, { headers: { authorization: "Bearer x" } }), content)
      assert.strictEqual(result, "done")
      const { body, headers, method, path } = yield* service.next
      assert.deepStrictEqual([method, path, body], ["POST", "/work", content])
      const task = claimed(content)
      const id = headers["webhook-id"]
      const timestamp = headers["webhook-timestamp"]
      assert.strictEqual(id, task.id)
      assert.closeTo(Number(timestamp), Date.now() / 1000, 30)
      assert.strictEqual(
        headers["webhook-signature"],
        `v1,${createHmac("sha256", key)
          .update(`${String(id)}.${String(timestamp)}.${content}`)
          .digest("base64")}`
      )
      assert.strictEqual(headers["venom-attempt"], "1")
      assert.strictEqual(headers["venom-max-attempts"], "3")
      assert.strictEqual(headers["venom-task-type"], "test")
      assert.strictEqual(headers["authorization"], "Bearer x")
      assert.match(headers["traceparent"]?.toString() ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    })
  )

  it.live("is not changed content, but refused, where UTF-8 cannot carry it", () =>
    Effect.gen(function* () {
      const service = yield* answers(200)
      assert.match((yield* failureOf(asking(service.url), "a\uD800b")).message, /surrogate/)
      assert.strictEqual(yield* service.count, 0)
    })
  )

  it.live("may be 1 MiB, and the answer too", () =>
    Effect.gen(function* () {
      const service = yield* serve((response, { body }) => response.end(body))
      const content = "0123456789abcdef".repeat(65_536)
      assert.isTrue((yield* resultOf(asking(service.url), content)) === content)
    })
  )
})

describe("HttpTaskRunner: answers", { timeout: 30_000 }, () => {
  it.live.each([200, 201, 202, 204, 299])("%i is the result", (status) =>
    Effect.gen(function* () {
      const service = yield* answers(status, status === 204 ? "" : "ok\n")
      assert.strictEqual(yield* resultOf(asking(service.url)), status === 204 ? "" : "ok\n")
    })
  )

  it.live.each([408, 409, 425, 429, 500, 502, 503, 504, 599])("%i is worth another attempt", (status) =>
    Effect.gen(function* () {
      const service = yield* answers(status, "not now")
      const { message, retryAfter, retryable } = yield* failureOf(asking(service.url))
      assert.deepStrictEqual([message, retryable, retryAfter], [`answered ${status}: not now`, true, undefined])
    })
  )

  it.live.each([400, 401, 403, 404, 405, 410, 413, 422, 451])("%i is final", (status) =>
    Effect.gen(function* () {
      const service = yield* answers(status, "never", { "retry-after": "5" })
      const { message, retryAfter, retryable } = yield* failureOf(asking(service.url))
      assert.deepStrictEqual([message, retryable, retryAfter], [`answered ${status}: never`, false, undefined])
    })
  )

  it.live("Retry-After is granted, in seconds or as a date", () =>
    Effect.gen(function* () {
      const seconds = yield* answers(503, "", { "retry-after": "120" })
      assert.deepStrictEqual((yield* failureOf(asking(seconds.url))).retryAfter, Duration.seconds(120))
      const date = yield* answers(429, "", { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() })
      const wished = (yield* failureOf(asking(date.url))).retryAfter
      assert.closeTo(wished === undefined ? 0 : Duration.toSeconds(wished), 3600, 30)
    })
  )

  it.live("redirects are not followed", () =>
    Effect.gen(function* () {
      const other = yield* answers(200, "secret")
      for (const status of [301, 302, 303, 307, 308]) {
        const service = yield* answers(status, "", { location: other.url })
        const { message, retryable } = yield* failureOf(asking(service.url))
        assert.isFalse(retryable)
        assert.match(message, new RegExp(`answered ${status} to ${other.url}: redirects are not followed`))
      }
      assert.strictEqual(yield* other.count, 0)
    })
  )

  it.live("a result has as many bytes as allowed, and an answer without end is hung up on", () =>
    Effect.gen(function* () {
      const whole = yield* answers(200, "x".repeat(1000))
      assert.strictEqual((yield* resultOf(asking(whole.url, { resultBytes: 1000 }))).length, 1000)
      const beyond = yield* failureOf(asking(whole.url, { resultBytes: 999 }))
      assert.deepStrictEqual([beyond.retryable, /more than 999 bytes/.test(beyond.message)], [false, true])
      const endless = yield* serve((response) => {
        const more = () => {
          while (!response.destroyed && response.write("x".repeat(10_000)));
          if (!response.destroyed) response.once("drain", more)
        }
        more()
      })
      assert.match((yield* failureOf(asking(endless.url))).message, /more than 1048576 bytes/)
      yield* endless.hungUp
    })
  )

  it.live("what is not UTF-8 is replaced, and that is logged", () =>
    Effect.gen(function* () {
      const service = yield* answers(200, Buffer.from([0x61, 0xff, 0x62]))
      const { lines, result } = yield* attempt(asking(service.url), "")
      assert.deepStrictEqual(result, Result.succeed("a\uFFFDb"))
      assert.match(lines[0] ?? "", /not UTF-8/)
    })
  )
})

describe("HttpTaskRunner: no answer", { timeout: 30_000 }, () => {
  it.live("a refused connection is worth another attempt", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(answers(200))
      const { message, retryable } = yield* failureOf(asking(url))
      assert.isTrue(retryable)
      assert.match(message, /no answer from 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
    })
  )

  it.live("so is one that breaks, before the answer and within it", () =>
    Effect.gen(function* () {
      const before = yield* serve((response) => response.destroy())
      assert.isTrue((yield* failureOf(asking(before.url))).retryable)
      const within = yield* serve((response) => {
        response.writeHead(200, { "content-length": "100" }).write("half")
        setImmediate(() => response.destroy())
      })
      const { message, retryable } = yield* failureOf(asking(within.url))
      assert.deepStrictEqual([retryable, /no answer from/.test(message)], [true, true])
    })
  )

  it.live("an interrupt ends the request at once", () =>
    Effect.gen(function* () {
      const silent = yield* serve(() => {})
      const runner = yield* built(asking(silent.url))
      const said = yield* listen
      const running = yield* Effect.forkChild(runner.run(claimed("x"), said.handle))
      yield* silent.next
      yield* Fiber.interrupt(running)
      yield* silent.hungUp
      const slow = yield* serve((response) => void response.writeHead(200).write("half"))
      const reading = yield* Effect.forkChild((yield* built(asking(slow.url))).run(claimed("x"), said.handle))
      yield* slow.next
      yield* Effect.yieldNow
      yield* Fiber.interrupt(reading)
      yield* slow.hungUp
    })
  )
})

describe("HttpTaskRunner: where it may go", { timeout: 30_000 }, () => {
  it.effect.each([
    "http://127.0.0.1:9/",
    "http://localhost/",
    "http://api.localhost/",
    "http://[::1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://0/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://127.0.0.1./",
    "http://LOCALHOST./",
    "http://%6c%6fcalhost/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[::]/",
    "http:\\\\127.0.0.1\\",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1#@example.com/",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1/",
    "http://100.100.100.200/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "data:text/plain,x",
    "http://user:password@example.com/",
    "example.com",
    "https://example.com/#there"
  ])("is not built for %s", (url) =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(built(asking(url, { allowPrivate: false })))
      assert.strictEqual(refused._tag, "InvalidTarget")
    })
  )

  it.live("a name that resolves to an address of this machine is not connected to", () =>
    Effect.gen(function* () {
      const service = yield* answers(200, "secret")
      // a name beside localhost that the system gives loopback addresses
      const { hostname } = yield* loopbackName
      const refused = yield* failureOf(asking(`http://${hostname}:${service.port}/`, { allowPrivate: false }))
      assert.match(refused.message, /which is no address of the internet/)
      assert.strictEqual(yield* service.count, 0)
      assert.strictEqual(yield* service.connections, 0)
    })
  )
})

const loopbackName = Effect.promise(async () => {
  const { lookup } = await import("node:dns/promises")
  const { hostname } = await import("node:os")
  for (const name of ["ip6-localhost", "ip6-loopback", hostname()]) {
    const found = await lookup(name).catch(() => undefined)
    if (found !== undefined) return { hostname: name }
  }
  return assert.fail("no name of this machine resolves")
})
