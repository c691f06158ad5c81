import { assert, layer } from "@effect/vitest"
import { Array, Context, Effect, Layer, Schema } from "effect"
import type { Answer } from "./support/Http.ts"
import { directory, serve, type Service, until } from "./support/Service.ts"
import { type Task, taskOf, tasksOf } from "./support/Wire.ts"

const tasks = "/api/v1/tasks"

const Shared = Context.Service<Service>("test/process/reading/Service")
/** 1,200 tasks, every third of them for later. */
const shared = Layer.effect(
  Shared,
  Effect.gen(function* () {
    const venom = yield* serve(yield* directory, { VENOM_SIMULATED_DURATION: "0 seconds" })
    yield* Effect.forEach(
      Array.range(1, 1200),
      (n) =>
        venom.submit(`content ${n}`, {
          type: n % 2 === 0 ? "even" : "odd",
          ...(n % 3 === 0 ? { run_at: "2100-01-01T00:00:00Z", tags: ["later"] } : {})
        }),
      { concurrency: 50 }
    )
    yield* until("the others to be done", venom.list, (all) => all.filter(isDone).length === 800)
    return venom
  })
)

const isDone = ({ status }: Task) => status === "COMPLETED"
const isNewestFirst = (all: ReadonlyArray<Task>) => all.every(({ id }, at) => at === 0 || id < (all[at - 1]?.id ?? ""))
const nextOf = ({ headers }: Answer) => /^<([^>]+)>; rel="next"$/.exec(`${headers["link"] ?? ""}`)?.[1]

layer(shared, { excludeTestServices: true, timeout: "60 seconds" })("Whoever reads", (it) => {
  it.effect("finds all tasks in one array, newest first, when no limit is named", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const answer = yield* venom.ask({ path: tasks })
      assert.isUndefined(answer.headers["link"])
      assert.strictEqual(answer.headers["transfer-encoding"], "chunked")
      const all = yield* tasksOf(answer)
      assert.lengthOf(all, 1200)
      assert.isTrue(isNewestFirst(all))
    })
  )

  it.effect("walks through pages by their links, meets every task once, and the last page has no link", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const found: Array<Task> = []
      let path: string | undefined = `${tasks}?limit=500`
      for (let pages = 0; path !== undefined; pages++) {
        assert.isBelow(pages, 3)
        const answer: Answer = yield* venom.ask({ path })
        found.push(...(yield* tasksOf(answer)))
        path = nextOf(answer)
      }
      assert.deepStrictEqual(found, [...(yield* venom.list)])
    })
  )

  it.effect("keeps the filter over the pages, and a page that is just full has no link", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const first = yield* venom.ask({ path: `${tasks}?limit=200&type=even&status=PENDING` })
      const second = yield* venom.ask({ path: `${tasks}?limit=100&tag=later` })
      const all = yield* tasksOf(first)
      assert.lengthOf(all, 200)
      assert.isUndefined(nextOf(first))
      assert.isTrue(all.every(({ status, type }) => status === "PENDING" && type === "even"))
      const more = yield* Effect.flatMap(venom.ask({ path: nextOf(second) ?? "" }), tasksOf)
      assert.lengthOf(more, 100)
      assert.isTrue(more.every(({ status }) => status === "PENDING"))
    })
  )

  it.effect("is not confused by tasks that come while the pages are read", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const before = (yield* venom.list).map(({ id }) => id)
      const first = yield* venom.ask({ path: `${tasks}?limit=10` })
      yield* Effect.forEach(Array.range(1, 15), () => venom.submit("in between", { run_at: "2100-01-01T00:00:00Z" }))
      const second = yield* venom.ask({ path: nextOf(first) ?? "" })
      const read = [...(yield* tasksOf(first)), ...(yield* tasksOf(second))].map(({ id }) => id)
      assert.deepStrictEqual(read, before.slice(0, 20))
    })
  )

  for (const [query, count] of [
    ["status=COMPLETED", 800],
    ["status=FAILED", 0],
    ["type=odd&status=COMPLETED", 400],
    ["q=content%20117", 11],
    ["q=CONTENT", 0],
    ["q=content+1200", 1],
    ["type=none", 0]
  ] as const) {
    it.effect(`finds ${count} tasks by ${query}`, () =>
      Effect.gen(function* () {
        const venom = yield* Shared
        assert.lengthOf(yield* Effect.flatMap(venom.ask({ path: `${tasks}?${query}` }), tasksOf), count)
      })
    )
  }

  it.effect("learns by an ETag whether a task has changed, and by Retry-After that it may", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const run_at = new Date(Date.now() + 1000).toISOString()
      const path = `${tasks}/${yield* venom.submit("changes", { run_at })}`
      const first = yield* venom.ask({ path })
      assert.strictEqual(first.headers["retry-after"], "1")
      const etag = `${first.headers["etag"]}`
      assert.match(etag, /^W\/"[^"]+"$/)
      for (const known of [etag, etag.slice(2), `"other", ${etag}`, "*"]) {
        const same = yield* venom.ask({ path, headers: { "if-none-match": known } })
        assert.include({ ...same, etag: same.headers["etag"] }, { status: 304, text: "", etag })
      }
      assert.strictEqual((yield* venom.ask({ path, headers: { "if-none-match": `W/"0"` } })).status, 200)

      const changed = yield* until(
        "COMPLETED",
        venom.ask({ path, headers: { "if-none-match": etag } }),
        ({ status, text }) => status === 200 && text.includes("COMPLETED")
      )
      assert.notStrictEqual(changed.headers["etag"], etag)
      assert.isUndefined(changed.headers["retry-after"])
      assert.strictEqual((yield* taskOf(changed)).status, "COMPLETED")
    })
  )

  it.effect("gets by HEAD what GET has to say but the body", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const [task] = yield* venom.list
      for (const path of [`${tasks}/${task?.id}`, `${tasks}?limit=5`, "/health/live", "/openapi.json", "/docs"]) {
        const got = yield* venom.ask({ path })
        const head = yield* venom.ask({ method: "HEAD", path })
        assert.include({ status: head.status, text: head.text }, { status: 200, text: "" }, path)
        for (const name of ["content-type", "content-length", "etag", "link"]) {
          assert.strictEqual(head.headers[name], got.headers[name], `${name} of ${path}`)
        }
        assert.strictEqual(got.headers["content-length"], `${Buffer.byteLength(got.text)}`, path)
      }
      const streamed = yield* venom.ask({ method: "HEAD", path: tasks })
      assert.include({ status: streamed.status, text: streamed.text }, { status: 200, text: "" })
      const missing = yield* venom.ask({ method: "HEAD", path: `${tasks}/0198c0de-0000-7000-8000-00000000ffff` })
      assert.include({ status: missing.status, text: missing.text }, { status: 404, text: "" })
    })
  )

  it.effect("finds the contract as OpenAPI 3.1 under its names", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const answer = yield* venom.ask({ path: "/openapi.json" })
      assert.match(`${answer.headers["content-type"]}`, /^application\/json/)
      const OpenApi = Schema.Struct({
        openapi: Schema.String.check(Schema.isStartingWith("3.1.")),
        paths: Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Unknown)),
        components: Schema.Struct({ schemas: Schema.Record(Schema.String, Schema.Unknown) })
      })
      const { components, paths } = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(OpenApi))(answer.text)
      assert.includeMembers(Object.keys(components.schemas), ["VenomTask", "TaskStatus", "TaskRequest", "TaskResponse"])
      assert.hasAllKeys(paths[tasks], ["get", "post"])
      assert.hasAllKeys(paths[`${tasks}/{id}`], ["delete", "get"])
      assert.containsAllKeys(paths, ["/health/live", "/health/ready"])
    })
  )

  it.effect("finds a page to try it, which asks nobody else for anything", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      const { headers, status, text } = yield* venom.ask({ path: "/docs" })
      assert.strictEqual(status, 200)
      assert.match(`${headers["content-type"]}`, /^text\/html/)
      assert.match(`${headers["content-security-policy"]}`, /default-src 'none'/)
      assert.notMatch(text, /<(script|link|img|iframe)[^>]+(src|href)=["']?(https?:)?\/\//)
      assert.include(text, "/api/v1/tasks")
    })
  )

  it.effect("may go away in the middle of a list, and the service stays as it was", () =>
    Effect.gen(function* () {
      const venom = yield* Shared
      yield* Effect.forEach(Array.range(1, 50), () => Effect.timeoutOption(venom.ask({ path: tasks }), "5 millis"), {
        concurrency: 10
      })
      assert.strictEqual((yield* venom.ready).status, 200)
      assert.deepStrictEqual(
        venom.log().filter(({ level }) => level === "error"),
        []
      )
    })
  )
})
