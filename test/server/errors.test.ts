import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ask, type Asked, problemOf, served, submit } from "./support.ts"

const unknownId = "0198c0de-0000-7000-8000-00000000ffff"
const json = { "content-type": "application/json" }
const tasks = "/api/v1/tasks"
const posted = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = json): Asked => ({
  method: "POST",
  path: tasks,
  headers,
  body
})
const content = (bytes: number) => JSON.stringify({ content: "x".repeat(bytes) })

/** What is asked, and the status and the paths of the errors that answer it. */
const rows: ReadonlyArray<readonly [string, Asked, number, (ReadonlyArray<string> | undefined)?]> = [
  ["malformed JSON", posted(`{"content":`), 400, [""]],
  ["an empty body", posted(""), 400, [""]],
  ["two values", posted(`{"content":"a"} {}`), 400, [""]],
  ["a byte order mark", posted(`\uFEFF{"content":"a"}`), 400, [""]],
  ["invalid UTF-8", posted(Uint8Array.of(...Buffer.from(`{"content":"`), 0xff, ...Buffer.from(`"}`))), 400, [""]],
  [
    "a surrogate in UTF-8",
    posted(Uint8Array.of(...Buffer.from(`{"content":"`), 0xed, 0xa0, 0x80, ...Buffer.from(`"}`))),
    400,
    [""]
  ],
  ["an array", posted("[]"), 400, [""]],
  ["null", posted("null"), 400, [""]],
  ["a missing field", posted("{}"), 400, ["content"]],
  ["a wrong type", posted(`{"content":1}`), 400, ["content"]],
  ["null for content", posted(`{"content":null}`), 400, ["content"]],
  ["an unknown field", posted(`{"content":"a","colour":"red"}`), 400, ["colour"]],
  ["the inner spelling of a field", posted(`{"content":"a","runAt":"2030-01-01T00:00:00Z"}`), 400, ["runAt"]],
  ["__proto__", posted(`{"content":"a","__proto__":{"content":"b"}}`), 400, ["__proto__"]],
  [
    "all of it at once",
    posted(`{"priority":101,"max_attempts":0,"run_at":"soon","type":"","tags":["a",1],"x":1}`),
    400,
    ["x", "content", "type", "priority", "run_at", "max_attempts", "tags[1]"]
  ],
  ["a huge number", posted(`{"content":"a","priority":1e999}`), 400, ["priority"]],
  ["a time that no calendar has", posted(`{"content":"a","run_at":"2026-02-30T00:00:00Z"}`), 400, ["run_at"]],
  ["100,000 brackets", posted("[".repeat(100_000)), 400, [""]],
  ["100,000 closed brackets", posted(`{"content":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), 400, ["content"]],
  [
    "100,000 nested objects under a field of no name",
    posted(`{"content":"a","":${`{"a":`.repeat(100_000)}1${"}".repeat(100_000)}}`),
    400,
    [""]
  ],
  ["a query where none is", { ...posted(`{"content":"a"}`), path: `${tasks}?dry_run=1` }, 400, ["dry_run"]],
  ["a bad id", { path: `${tasks}/17` }, 400, ["id"]],
  ["a long bad id", { path: `${tasks}/${"1".repeat(500)}` }, 400],
  ["an id that is no UTF-8", { path: `${tasks}/%ff` }, 400],
  ["a broken percent-encoding", { path: `${tasks}?q=%zz` }, 400],
  ["a limit of 0", { path: `${tasks}?limit=0` }, 400, ["limit"]],
  ["a limit of 501", { path: `${tasks}?limit=501` }, 400, ["limit"]],
  ["a limit of half a task", { path: `${tasks}?limit=0.5` }, 400, ["limit"]],
  ["a limit that is no number", { path: `${tasks}?limit=all` }, 400, ["limit"]],
  ["a limit twice", { path: `${tasks}?limit=1&limit=2` }, 400, ["limit"]],
  ["an unknown status", { path: `${tasks}?status=pending` }, 400, ["status"]],
  ["a bad cursor", { path: `${tasks}?limit=1&cursor=next` }, 400, ["cursor"]],
  ["unknown parameters", { path: `${tasks}?offset=3&__proto__=1&limit=x` }, 400, ["offset", "__proto__", "limit"]],
  ["an unknown parameter of a task", { path: `${tasks}/${unknownId}?fields=id` }, 400, ["fields"]],
  ["an unknown task", { path: `${tasks}/${unknownId}` }, 404],
  ["an unknown route", { path: "/api/v2/tasks" }, 404],
  ["an unknown route, written to", { method: "POST", path: "/nope", headers: json, body: "{}" }, 404],
  ["a part of the page that is not there", { path: "/assets/nope.js" }, 404],
  ["the page, written to", { method: "POST", path: "/", headers: json, body: "{}" }, 405],
  ["a route in capitals", { path: "/API/V1/TASKS" }, 404],
  ["no media type", posted(`{"content":"a"}`, {}), 415],
  ["a form", posted(`{"content":"a"}`, { "content-type": "application/x-www-form-urlencoded" }), 415],
  ["text", posted(`{"content":"a"}`, { "content-type": "text/plain" }), 415],
  ["something like JSON", posted(`{"content":"a"}`, { "content-type": "application/vnd.api+json" }), 415],
  ["JSON in Latin-1", posted(`{"content":"a"}`, { "content-type": "application/json; charset=iso-8859-1" }), 415],
  ["a compressed body", posted(`{"content":"a"}`, { ...json, "content-encoding": "gzip" }), 415],
  ["an answer that is no JSON", { path: tasks, headers: { accept: "text/html" } }, 406],
  ["an answer that may not be JSON", { path: tasks, headers: { accept: "application/json;q=0, */*" } }, 406],
  ["a post for which no JSON is wanted", posted(`{"content":"a"}`, { ...json, accept: "text/csv" }), 406],
  ["a body over the limit", posted(`{"content":"a","x":"${"x".repeat(2 * 1024 * 1024)}"}`), 413],
  ["content over the limit", posted(content(1024 * 1024 + 1)), 413, ["content"]],
  [
    "content over the limit in bytes, not in characters",
    posted(JSON.stringify({ content: "€".repeat(349_526) })),
    413,
    ["content"]
  ],
  ["a URL over the limit", { path: `${tasks}?q=${"x".repeat(9000)}` }, 414],
  ["a URL far over the limit", { path: `/${"x".repeat(20_000)}` }, 414],
  ["headers over the limit", { path: tasks, headers: { "x-long": "x".repeat(20_000) } }, 431],
  ["an expectation", posted(`{"content":"a"}`, { ...json, expect: "200-ok" }), 417]
]

layer(served(), { excludeTestServices: true })(
  "Whatever is wrong with a request is told as a problem document:",
  (it) => {
    for (const [name, asked, status, paths] of rows) {
      it.effect(`${name} → ${status}`, () =>
        Effect.gen(function* () {
          const answer = yield* ask(asked)
          const problem = yield* problemOf(answer)
          assert.strictEqual(answer.status, status)
          assert.notInclude(answer.text, "/src/")
          assert.notInclude(answer.text, "node_modules")
          if (paths !== undefined)
            assert.sameMembers([...new Set((problem.errors ?? []).map(({ path }) => path))], [...paths])
          // and the service is as it was
          assert.strictEqual((yield* submit({ content: "after" })).status, 201)
        })
      )
    }

    for (const method of ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]) {
      it.effect(`${method} → 405, and Allow says what is possible`, () =>
        Effect.gen(function* () {
          const many = yield* ask({ method, path: tasks })
          assert.strictEqual(many.status, 405)
          assert.sameMembers((many.headers["allow"] ?? "").split(", "), ["GET", "HEAD", "POST"])
          yield* problemOf(many)
          const one = yield* ask({ method, path: `${tasks}/${unknownId}` })
          if (method === "DELETE") return assert.strictEqual(one.status, 404)
          assert.strictEqual(one.status, 405)
          assert.sameMembers((one.headers["allow"] ?? "").split(", "), ["GET", "HEAD", "DELETE"])
          for (const path of ["/docs", "/openapi.json", "/health/live"]) {
            assert.strictEqual((yield* ask({ method, path })).status, 405)
          }
        })
      )
    }

    it.effect("a 404 names the id of the task and the path that was asked for", () =>
      Effect.gen(function* () {
        const problem = yield* problemOf(yield* ask({ path: `${tasks}/${unknownId}` }))
        assert.include(problem.detail, unknownId)
        assert.strictEqual(problem.task_id, unknownId)
        assert.strictEqual(problem.instance, `${tasks}/${unknownId}`)
      })
    )

    it.effect("what is no object is told what stands in one, and an unknown word the words there are", () =>
      Effect.gen(function* () {
        const message = function* (asked: Parameters<typeof ask>[0]) {
          return (yield* problemOf(yield* ask(asked))).errors?.map(({ message }) => message)
        }
        const json = { "content-type": "application/json" }
        const post = { method: "POST", headers: json }
        for (const body of ["[]", "null", '"x"']) {
          assert.deepStrictEqual(yield* message({ ...post, path: tasks, body }), ["Expected an object with content"])
        }
        assert.deepStrictEqual(yield* message({ ...post, path: `${tasks}/bulk`, body: "[]" }), [
          "Expected an object with tasks"
        ])
        assert.deepStrictEqual(yield* message({ ...post, path: tasks, body: '{"content":"a","backoff":1}' }), [
          "Expected an object"
        ])
        for (const path of [`${tasks}?status=pending`, `${tasks}?status=DONE`]) {
          assert.deepStrictEqual(yield* message({ path }), ["Expected PENDING, PROCESSING, COMPLETED or FAILED"])
        }
      })
    )

    it.effect(
      "a body with faults without number is answered with the first: finding all would keep others waiting",
      () =>
        Effect.gen(function* () {
          const faults = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`field${index}`, 1]))
          const fields = yield* problemOf(yield* submit({ content: "a", ...faults }))
          assert.deepStrictEqual(fields.errors, [{ path: "field0", message: "Unknown field" }])
          const tags = yield* problemOf(yield* submit({ content: "a", tags: Array.from({ length: 500_000 }, () => 1) }))
          assert.deepStrictEqual(tags.errors, [{ path: "tags[0]", message: "Expected string" }])
        })
    )

    it.effect("HEAD gets the status and the headers of an error, and no body", () =>
      Effect.gen(function* () {
        const answer = yield* ask({ method: "HEAD", path: `${tasks}/${unknownId}` })
        assert.strictEqual(answer.status, 404)
        assert.strictEqual(answer.headers["content-type"], "application/problem+json")
        assert.strictEqual(answer.text, "")
      })
    )
  }
)
