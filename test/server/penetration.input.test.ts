import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { allRefused, deep, inVain, json, posting, refused, tasks, unknownTask } from "./attacks.ts"
import { type Asked, ask, get, post, served, submit, submitted } from "./support.ts"

const levels = deep(100_000)
const objects = `${`{"a":`.repeat(100_000)}1${"}".repeat(100_000)}`
const put = (path: string, body: string): Asked => ({ method: "PUT", path, headers: json, body })
const to = (path: string, body: string): Asked => ({ ...posting(body), path })
const many = (count: number, of: (index: number) => string) => Array.from({ length: count }, (_, at) => of(at)).join()

layer(served(), { excludeTestServices: true })("Oversized:", (it) => {
  it.effect("100,000 levels of JSON, wherever they stand", () =>
    allRefused([
      ["the body", posting(levels), 400],
      ["content", posting(`{"content":${levels}}`), 400],
      ["an unknown field", posting(`{"content":"a","x":${levels}}`), 400],
      ["tags", posting(`{"content":"a","tags":${levels}}`), 400],
      ["type", posting(`{"content":"a","type":${levels}}`), 400],
      ["priority", posting(`{"content":"a","priority":${objects}}`), 400],
      ["backoff", posting(`{"content":"a","backoff":${objects}}`), 400],
      ["copy_of", posting(`{"copy_of":${levels}}`), 400],
      ["a bulk", to(`${tasks}/bulk`, `{"tasks":${levels}}`), 400],
      ["a task of a bulk", to(`${tasks}/bulk`, `{"tasks":[{"content":"a","type":${levels}}]}`), 400],
      ["a filter", to(`${tasks}/actions/cancel`, `{"type":${levels}}`), 400],
      ["a pause", to("/api/v1/queue/pause", `{"type":${levels}}`), 400],
      ["limits", put("/api/v1/queue/limits", `{"types":${objects}}`), 400],
      ["a schedule", put("/api/v1/schedules/x", `{"every":${levels},"task":{"content":"x"}}`), 400],
      ["unclosed", posting("[".repeat(1_000_000)), 400]
    ])
  )

  it.effect("numbers that no number holds", () =>
    allRefused(
      ["1e400", "-1e400", "9".repeat(100_000), "1e-3", "NaN", "Infinity", "0x10", "1_0"].map(
        (number) => [number.slice(0, 20), posting(`{"content":"a","priority":${number}}`), 400] as const
      )
    )
  )

  it.effect("too many of anything, in time", () =>
    allRefused([
      ["fields", posting(`{"content":"a",${many(100_000, (at) => `"f${at}":1`)}}`), 400],
      ["the same field", posting(`{"content":"a",${many(100_000, () => `"x":1`)}}`), 400],
      ["tags", posting(`{"content":"a","tags":[${many(100_000, () => `"t"`)}]}`), 400],
      ["tasks", to(`${tasks}/bulk`, `{"tasks":[${many(1001, () => `{"content":""}`)}]}`), 400],
      ["wrong tasks", to(`${tasks}/bulk`, `{"tasks":[${many(1000, () => `{"x":1,"y":2}`)}]}`), 400],
      ["parameters", { path: `${tasks}?${"a&".repeat(4000)}` }, 400],
      ["values of a parameter", { path: `${tasks}?${"limit=1&".repeat(1000)}` }, 400]
    ])
  )

  it.effect("too long", () => {
    const field = (name: string, text: string) =>
      [name, posting(JSON.stringify({ content: "a", [name]: text })), 400] as const
    return allRefused([
      ["the URL", { path: `/${"x".repeat(8192)}` }, 414],
      ["a query", { path: `${tasks}?q=${"x".repeat(8192)}` }, 414],
      ["a header", { path: tasks, headers: { "x-a": "x".repeat(20_000) } }, 431],
      ["a cookie", { path: tasks, headers: { cookie: "x".repeat(20_000) } }, 431],
      [
        "headers together",
        { path: tasks, headers: Object.fromEntries(Array.from({ length: 1900 }, (_, at) => [`x${at}`, "1"])) },
        431
      ],
      ["a body", posting(`{"content":"${"x".repeat(2 * 2 ** 20)}"}`), 413],
      [
        "a body in chunks",
        posting(`{"content":"${"x".repeat(2 * 2 ** 20)}"}`, { "transfer-encoding": "chunked" }),
        413
      ],
      ["content", posting(JSON.stringify({ content: "x".repeat(2 ** 20 + 1) })), 413],
      ["a session's key", to("/api/v1/session", JSON.stringify({ key: "x".repeat(5000) })), 413],
      field("type", "x".repeat(129)),
      field("concurrency_key", "x".repeat(257)),
      field("unique_key", "x".repeat(257)),
      field("delay", "1".repeat(10_000)),
      field("timeout", `${"9".repeat(400)} days`),
      ["a tag", posting(JSON.stringify({ content: "a", tags: ["x".repeat(129)] })), 400],
      ["an idempotency key", posting(`{"content":"a"}`, { "idempotency-key": "x".repeat(256) }), 400],
      [
        "a schedule's name",
        put(`/api/v1/schedules/${"x".repeat(129)}`, `{"every":"1 hour","task":{"content":"x"}}`),
        400
      ],
      ["an id", { path: `${tasks}/${"x".repeat(3000)}` }, 400],
      ["a limit", { path: `${tasks}?limit=${"9".repeat(400)}` }, 400]
    ])
  })
})

layer(served(), { excludeTestServices: true })("Names that mean something to JavaScript", (it) => {
  it.effect("are fields like others: unknown", () =>
    Effect.gen(function* () {
      yield* allRefused([
        ["__proto__", posting(`{"content":"a","__proto__":{"type":"x","status":"COMPLETED"}}`), 400],
        ["constructor", posting(`{"content":"a","constructor":{"prototype":{"paused":true}}}`), 400],
        ["in a bulk", to(`${tasks}/bulk`, `{"tasks":[{"content":"a","__proto__":{"type":"x"}}]}`), 400],
        ["as the body", posting(`{"__proto__":{"content":"a"}}`), 400],
        ["as limits", put("/api/v1/queue/limits", `{"__proto__":{"concurrency":1}}`), 400],
        ["as a type of limits", put("/api/v1/queue/limits", `{"types":{"__proto__":{"concurrency":1}}}`), 400],
        ["as a type", posting(`{"content":"a","type":"__proto__"}`), 400],
        ["as a parameter", { path: `${tasks}?__proto__=1` }, 400],
        ["as a schedule", put("/api/v1/schedules/__proto__", `{"every":"1 hour","task":{"content":"x"}}`), 400]
      ])
      assert.notProperty({}, "paused")
      assert.notProperty({}, "concurrency")
    })
  )

  it.effect("are names like others where they are allowed", () =>
    Effect.gen(function* () {
      const names = ["constructor", "toString", "hasOwnProperty", "valueOf"]
      const limits = `{"types":{},"keys":{"__proto__":{"concurrency":1},"constructor":{"concurrency":2}}}`
      assert.strictEqual((yield* ask(put("/api/v1/queue/limits", limits))).text, limits)
      for (const name of names) {
        const first = yield* submitted((yield* submit({ content: "a", type: name, unique_key: name })).text)
        assert.include((yield* submit({ content: "b", type: name, unique_key: name })).text, first.task_id)
        const named = JSON.parse((yield* get(`${tasks}/${first.task_id}`)).text)
        assert.deepInclude(named, { type: name, content: "a" })
        assert.include((yield* get(`${tasks}?type=${name}`)).text, first.task_id)
      }
      for (const key of ["__proto__", "constructor"]) {
        const one = yield* post(`{"content":"k"}`, { "idempotency-key": key })
        const two = yield* post(`{"content":"k"}`, { "idempotency-key": key })
        assert.strictEqual(JSON.parse(two.text).task_id, JSON.parse(one.text).task_id)
        assert.strictEqual(two.headers["idempotency-replayed"], "true")
        assert.strictEqual((yield* submit({ content: "a", concurrency_key: key })).status, 201)
      }
      assert.strictEqual((yield* ask(put("/api/v1/queue/limits", "{}"))).status, 200)
    })
  )

  it.effect("of two fields with one name the last counts, everywhere", () =>
    Effect.gen(function* () {
      const { text } = yield* post(`{"content":"first","type":"one","content":"last","type":"two"}`)
      const { task_id } = yield* submitted(text)
      const task = JSON.parse((yield* get(`${tasks}/${task_id}`)).text)
      assert.deepInclude(task, { content: "last", type: "two" })
    })
  )
})

const climbs = [
  "..",
  "%2e%2e",
  "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd",
  "..%2f..%2fstate_dump.json",
  "..%5c..%5cstate_dump.json",
  "..\\..\\x",
  "%252e%252e%252fx",
  "%00",
  "a%00.json",
  "%c0%ae%c0%ae%2f",
  "....//",
  "~root",
  "|id",
  "$(id)",
  "%60id%60",
  "'%20OR%201=1--",
  "%0d%0aSet-Cookie:x=1",
  "a%0d%0ab"
]

layer(served(), { excludeTestServices: true })("A path", (it) => {
  it.effect("leads out of nothing, as an id, a name or a parameter", () =>
    allRefused(
      climbs.flatMap((climb) => [
        [`task ${climb}`, { path: `${tasks}/${climb}` }],
        [`why ${climb}`, { path: `${tasks}/${climb}/why` }],
        [`cancel ${climb}`, { method: "POST", path: `${tasks}/${climb}/cancel` }],
        [`delete ${climb}`, { method: "DELETE", path: `${tasks}/${climb}` }],
        [`schedule ${climb}`, put(`/api/v1/schedules/${climb}`, `{"every":"1 hour","task":{"content":"x"}}`)],
        [`cursor ${climb}`, { path: `${tasks}?limit=1&cursor=${climb}` }]
      ])
    )
  )

  it.effect("leads to no file", () =>
    allRefused(
      [
        ...climbs.flatMap((climb) => [`/${climb}`, `/docs/${climb}`, `/openapi.json/${climb}`, `/assets/${climb}`]),
        "/docs/../package.json",
        "/docs/..%2fpackage.json",
        "/package.json",
        "/src/main.ts",
        "/data/memory/state_dump.json",
        "/state_dump.json",
        "/.git/config",
        "/.env",
        "/api/v1/../../package.json",
        "/docs%00.html",
        "/docs%2f..%2f..",
        "/DOCS"
      ].map((path) => [path, { path }])
    )
  )

  it.effect("in a type or a key is only text", () =>
    inVain(
      Effect.forEach(["../../etc/passwd", "a/../../b", "..", "/etc/passwd", "a\\..\\b", "a\0b", "$(id)"], (type) =>
        Effect.gen(function* () {
          const answer = yield* submit({ content: "a", type })
          // a type may have slashes and dots, and leads nowhere with them
          if (type !== "a/../../b") return yield* refused(answer, type, [400])
          assert.strictEqual(answer.status, 201)
          const { task_id } = yield* submitted(answer.text)
          assert.strictEqual((yield* ask({ method: "POST", path: `${tasks}/${task_id}/cancel` })).status, 200)
          assert.strictEqual((yield* ask({ method: "DELETE", path: `${tasks}/${task_id}` })).status, 204)
        })
      )
    )
  )

  it.effect("of a task that is not there changes nothing, whatever is asked of it", () =>
    allRefused([
      ["read", { path: unknownTask }, 404],
      ["why", { path: `${unknownTask}/why` }, 404],
      ["events", { path: `${unknownTask}/events` }, 404],
      ["cancel", { method: "POST", path: `${unknownTask}/cancel` }, 404],
      ["retry", { method: "POST", path: `${unknownTask}/retry` }, 404],
      ["delete", { method: "DELETE", path: unknownTask }, 404],
      ["copy", posting(`{"copy_of":"0198c0de-0000-7000-8000-00000000ffff"}`), 404]
    ])
  )
})
