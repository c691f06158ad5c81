import { assert, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { type Asked, ask, open } from "./support/Http.ts"
import { directory, serve, type Service } from "./support/Service.ts"
import { problemIn, submittedIn } from "./support/Wire.ts"

const unknownId = "0198c0de-0000-7000-8000-00000000ffff"
const json = { "content-type": "application/json" }
const tasks = "/api/v1/tasks"
const good = `{"content":"a"}`

const posted = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = json): Asked => ({
  method: "POST",
  path: tasks,
  headers,
  body
})
const bytes = (before: string, middle: ReadonlyArray<number>, after: string) =>
  Uint8Array.of(...Buffer.from(before), ...middle, ...Buffer.from(after))
const chunked = { ...json, "transfer-encoding": "chunked" }
const huge = JSON.stringify({ content: "a", x: "x".repeat(2 * 1024 * 1024) })

/** What is asked, the status that answers it, and what the problem has to name. */
const rows: ReadonlyArray<readonly [name: string, asked: Asked, status: number, names?: ReadonlyArray<string>]> = [
  ["malformed JSON", posted(`{"content":`), 400],
  ["no body at all", posted(""), 400],
  ["JSON with more behind it", posted(`${good}{}`), 400],
  ["JSON5", posted(`{content:'a'}`), 400],
  ["bytes that are no UTF-8", posted(bytes(`{"content":"`, [0xff], `"}`)), 400],
  ["an overlong form of UTF-8", posted(bytes(`{"content":"`, [0xc0, 0xaf], `"}`)), 400],
  ["a surrogate in UTF-8", posted(bytes(`{"content":"`, [0xed, 0xa0, 0x80], `"}`)), 400],
  ["UTF-8 that stops in the middle of a letter", posted(bytes(`{"content":"`, [0xe2, 0x82], `"}`)), 400],
  ["UTF-16", posted(new Uint8Array(Buffer.from(good, "utf16le"))), 400],
  ["an array", posted(`["content"]`), 400],
  ["a string", posted(`"content"`), 400],
  ["null", posted("null"), 400],
  ["no content", posted("{}"), 400, ["content"]],
  ["a number for content", posted(`{"content":1}`), 400, ["content"]],
  ["null for content", posted(`{"content":null}`), 400, ["content"]],
  ["an object for content", posted(`{"content":{}}`), 400, ["content"]],
  ["an unknown field", posted(`{"content":"a","colour":1}`), 400, ["colour"]],
  ["a field of the answer", posted(`{"content":"a","status":"COMPLETED"}`), 400, ["status"]],
  ["camelCase", posted(`{"content":"a","maxAttempts":1}`), 400, ["maxAttempts"]],
  ["__proto__", posted(`{"content":"a","__proto__":{}}`), 400, ["__proto__"]],
  ["priority out of range", posted(`{"content":"a","priority":101}`), 400, ["priority"]],
  ["half a priority", posted(`{"content":"a","priority":0.5}`), 400, ["priority"]],
  ["a number in quotes", posted(`{"content":"a","priority":"1"}`), 400, ["priority"]],
  ["no attempts", posted(`{"content":"a","max_attempts":0}`), 400, ["max_attempts"]],
  ["a time that is none", posted(`{"content":"a","run_at":"tomorrow"}`), 400, ["run_at"]],
  ["a time without a zone", posted(`{"content":"a","run_at":"2030-01-01T00:00:00"}`), 400, ["run_at"]],
  ["three faults at once", posted(`{"priority":"x","nope":1}`), 400, ["content", "priority", "nope"]],
  ["an id that is none", { path: `${tasks}/1` }, 400, ["id"]],
  ["a limit of 0", { path: `${tasks}?limit=0` }, 400, ["limit"]],
  ["a limit of 501", { path: `${tasks}?limit=501` }, 400, ["limit"]],
  ["a limit that is no number", { path: `${tasks}?limit=ten` }, 400, ["limit"]],
  ["an unknown status", { path: `${tasks}?status=DONE` }, 400, ["status"]],
  ["a cursor that is none", { path: `${tasks}?limit=1&cursor=abc` }, 400, ["cursor"]],
  ["an unknown parameter", { path: `${tasks}?page=2` }, 400, ["page"]],
  ["an unknown task", { path: `${tasks}/${unknownId}` }, 404, [unknownId]],
  ["an unknown route", { path: "/api/v1/nothing" }, 404],
  ["an unknown route that is written to", { method: "POST", path: "/nothing", headers: json, body: good }, 404],
  ["a deeper path", { path: `${tasks}/${unknownId}/more` }, 404],
  ["another version", { path: "/api/v2/tasks" }, 404],
  ["an answer in HTML", { path: tasks, headers: { accept: "text/html" } }, 406],
  ["an answer in XML to a submit", posted(good, { ...json, accept: "application/xml" }), 406],
  ["a body over the limit, by its length", posted(huge), 413],
  ["a body over the limit, in chunks", posted(huge, chunked), 413],
  ["content of a mebibyte and a byte", posted(JSON.stringify({ content: "x".repeat(1024 * 1024 + 1) })), 413],
  ["content that is too large in bytes alone", posted(JSON.stringify({ content: "€".repeat(349_526) })), 413],
  ["a URL of 9,000 characters", { path: `${tasks}?q=${"x".repeat(9000)}` }, 414],
  ["no media type", posted(good, {}), 415],
  ["a form", posted("content=a", { "content-type": "application/x-www-form-urlencoded" }), 415],
  ["plain text", posted(good, { "content-type": "text/plain" }), 415],
  ["JSON in Latin-1", posted(good, { "content-type": "application/json; charset=latin1" }), 415],
  ["a compressed body", posted(good, { ...json, "content-encoding": "gzip" }), 415],
  ["headers of 20,000 characters", { path: tasks, headers: { "x-long": "x".repeat(20_000) } }, 431],
  ["a foreign host", { path: tasks, headers: { host: "evil.example" } }, 403],
  ["a foreign host with a port", { path: tasks, headers: { host: "evil.example:8000" } }, 403],
  ["a host that begins like ours", { path: tasks, headers: { host: "127.0.0.1.evil.example" } }, 403],
  ["a foreign page that writes", posted(good, { ...json, origin: "https://evil.example" }), 403],
  ["a page of a file that writes", posted(good, { ...json, origin: "null" }), 403],
  ["a cross-site write", posted(good, { ...json, "sec-fetch-site": "cross-site" }), 403]
]

const Shared = Context.Service<Service>("test/process/requests/Service")
const shared = Layer.effect(
  Shared,
  Effect.flatMap(directory, (data) => serve(data, { VENOM_SIMULATED_DURATION: "1 hour" }))
)

layer(shared, { excludeTestServices: true })(
  "Whatever is wrong with a request is told in a problem document:",
  (it) => {
    for (const [name, asked, status, names = []] of rows) {
      it.effect(`${name} is answered with ${status}`, () =>
        Effect.gen(function* () {
          const venom = yield* Shared
          // a connection of its own: a refusal may close it
          const problem = yield* Effect.flatMap(ask(venom.url)(asked), (answer) => problemIn(answer, status))
          for (const one of names) assert.include(JSON.stringify(problem), one)
          if (status === 400 && names.length > 0) {
            const paths = (problem.errors ?? []).map(({ path }) => path)
            assert.includeMembers(paths, [...names])
          }
          assert.notMatch(JSON.stringify(problem), /\/src\/|node_modules|\.ts\b|\bat \w+ \(/)
          assert.strictEqual((yield* venom.ask({ path: "/health/ready" })).status, 200)
        })
      )
    }

    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS"]) {
      it.effect(`${method} is answered with 405, and Allow says what is possible`, () =>
        Effect.gen(function* () {
          const venom = yield* Shared
          const many = yield* venom.ask({ method, path: tasks })
          yield* problemIn(many, 405)
          assert.sameMembers(`${many.headers["allow"]}`.split(/, ?/), ["GET", "HEAD", "POST"])
          const one = yield* venom.ask({ method, path: `${tasks}/${unknownId}` })
          if (method === "DELETE") return yield* problemIn(one, 404)
          yield* problemIn(one, 405)
          assert.sameMembers(`${one.headers["allow"]}`.split(/, ?/), ["DELETE", "GET", "HEAD"])
        })
      )
    }

    it.effect("what is refused with a write has not happened", () =>
      Effect.gen(function* () {
        const venom = yield* Shared
        assert.deepStrictEqual(yield* venom.list, [])
      })
    )

    it.effect("what only looks wrong is taken", () =>
      Effect.gen(function* () {
        const venom = yield* Shared
        const { host } = new URL(venom.url)
        const asks: ReadonlyArray<Asked> = [
          posted(` \n\t${good}\r\n `),
          posted(good, chunked),
          posted(good, { "content-type": "application/json; charset=UTF-8" }),
          posted(good, { "content-type": "APPLICATION/JSON" }),
          posted(good, { ...json, accept: "text/html;q=0.5, application/*;q=0.1" }),
          posted(good, { ...json, accept: "application/problem+json, application/json" }),
          posted(good, { ...json, host: `localhost:${new URL(venom.url).port}` }),
          posted(good, { ...json, host: `[::1]:${new URL(venom.url).port}` }),
          posted(good, { ...json, origin: `http://${host}` }),
          posted(good, { ...json, "sec-fetch-site": "same-origin" }),
          posted(good, { ...json, "content-encoding": "identity" }),
          posted(good, { ...json, expect: "100-continue" })
        ]
        for (const asked of asks) yield* Effect.flatMap(ask(venom.url)(asked), submittedIn)
        assert.lengthOf(yield* venom.list, asks.length)
      })
    )

    it.effect("health is answered under any host name", () =>
      Effect.gen(function* () {
        const venom = yield* Shared
        for (const path of ["/health/live", "/health/ready"]) {
          assert.strictEqual((yield* venom.ask({ path, headers: { host: "evil.example" } })).status, 200)
        }
      })
    )

    it.effect("what is no HTTP at all is a problem too, and so is a request without a host", () =>
      Effect.gen(function* () {
        const { url } = yield* Shared
        for (const text of [
          "GARBAGE\r\n\r\n",
          "GET /api/v1/tasks HTTP/1.1\r\n\r\n",
          "GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nBad Header\r\n\r\n",
          "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
          "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        ]) {
          const { closed, socket } = yield* open(url)
          socket.end(text)
          const answer = yield* closed
          assert.match(answer, /^HTTP\/1\.1 400 /, text)
          assert.match(answer, /content-type: application\/problem\+json/i, text)
          assert.match(answer, /"status":400/, text)
        }
      })
    )
  }
)
