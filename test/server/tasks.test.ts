import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { VenomTask } from "../../src/domain/Task.ts"
import { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { type Answer, ask, echoRunner, get, json, post, served, submit, submitted, tasks } from "./support.ts"

const task = Schema.decodeUnknownEffect(Schema.fromJsonString(VenomTask))
const taskList = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(VenomTask)))

layer(served(), { excludeTestServices: true })("Submitting a task", (it) => {
  it.effect("answers 201 with the place of the task, where it can be read", () =>
    Effect.gen(function* () {
      const answer = yield* submit({ content: "hello", tags: ["a"], priority: -5, type: "mail", max_attempts: 2 })
      assert.strictEqual(answer.status, 201)
      const { task_id } = yield* submitted(answer.text)
      assert.strictEqual(answer.headers["location"], `/api/v1/tasks/${task_id}`)
      assert.strictEqual(answer.headers["content-type"], "application/json")
      assert.strictEqual(answer.headers["content-length"], String(answer.text.length))
      assert.strictEqual(answer.headers["cache-control"], "no-store")
      assert.strictEqual(answer.headers["x-content-type-options"], "nosniff")

      const read = yield* get(`/api/v1/tasks/${task_id}`)
      assert.strictEqual(read.status, 200)
      const { content, maxAttempts, priority, tags, type } = yield* task(read.text)
      assert.deepStrictEqual(
        { content, tags, priority, type, maxAttempts },
        { content: "hello", tags: ["a"], priority: -5, type: "mail", maxAttempts: 2 }
      )
    })
  )

  it.effect("lets it be read by its id in capitals too, and listed from there", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* submit({ content: "in capitals" })).text)
      const read = yield* get(`/api/v1/tasks/${task_id.toUpperCase()}`)
      assert.strictEqual((yield* task(read.text)).id, task_id)
      const below = yield* get(`/api/v1/tasks?cursor=${task_id.toUpperCase()}`)
      assert.deepStrictEqual(below.text, (yield* get(`/api/v1/tasks?cursor=${task_id}`)).text)
    })
  )

  it.effect("takes every spelling of its media type", () =>
    Effect.gen(function* () {
      for (const type of [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"'
      ]) {
        assert.strictEqual((yield* post(`{"content":"a"}`, { "content-type": type })).status, 201, type)
      }
      for (const accept of [
        "*/*",
        "application/*",
        "application/json",
        "text/html, application/json;q=0.1",
        "text/html;q=1, */*;q=0.1"
      ]) {
        assert.strictEqual((yield* post(`{"content":"a"}`, { accept })).status, 201, accept)
      }
    })
  )

  const contents = {
    nothing: "",
    "letters of every plane": 'aé€😀\u2028\u2029\u0000\u001f\\"/',
    "a lone high surrogate": "\ud800",
    "a lone low surrogate amid text": "a\udc00b",
    "a byte order mark": "\ufeffx",
    "exactly the limit": "€".repeat(349_525) + "x"
  }
  for (const [name, content] of Object.entries(contents)) {
    it.effect(`gives back exactly what was sent: ${name}`, () =>
      Effect.gen(function* () {
        const { task_id } = yield* submitted((yield* submit({ content })).text)
        const read = yield* task((yield* get(`/api/v1/tasks/${task_id}`)).text)
        assert.strictEqual(read.content, content)
      })
    )
  }

  it.effect("of two fields with one name the last counts", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* post(`{"content":"first","content":"last"}`)).text)
      assert.strictEqual((yield* task((yield* get(`/api/v1/tasks/${task_id}`)).text)).content, "last")
    })
  )

  it.effect("holds for a hundred clients at once, each with an id of its own", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => index),
        (index) =>
          Effect.flatMap(submit({ content: `number ${index}` }), ({ text }) =>
            Effect.gen(function* () {
              const { task_id } = yield* submitted(text)
              const { content } = yield* task((yield* get(`/api/v1/tasks/${task_id}`)).text)
              assert.strictEqual(content, `number ${index}`)
              return task_id
            })
          ),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(answers).size, 100)
    })
  )
})

describe("Submitting a task", () => {
  it.live("is answered only when the task is durable", () =>
    Effect.gen(function* () {
      const entered = yield* Deferred.make<void>()
      const synced = yield* Deferred.make<void>()
      const slowDisk = Layer.effect(
        StateRepository,
        Effect.map(StateRepository, (memory) => ({
          ...memory,
          insert: (all: Parameters<typeof memory.insert>[0]) =>
            Deferred.succeed(entered, undefined).pipe(
              Effect.andThen(Deferred.await(synced)),
              Effect.andThen(memory.insert(all))
            )
        }))
      ).pipe(Layer.provide(MemoryStateRepository.layer()))

      yield* Effect.gen(function* () {
        const answer = yield* Effect.forkChild(submit({ content: "a" }), { startImmediately: true })
        yield* Deferred.await(entered)
        // the server is not busy: it answers others meanwhile
        assert.strictEqual((yield* get("/health/live")).status, 200)
        assert.isUndefined(answer.pollUnsafe())
        yield* Deferred.succeed(synced, undefined)
        const { task_id } = yield* submitted((yield* Fiber.join(answer)).text)
        assert.strictEqual((yield* get(`/api/v1/tasks/${task_id}`)).status, 200)
      }).pipe(Effect.provide(served({ repository: slowDisk })))
    })
  )
})

layer(served({ runner: echoRunner }), { excludeTestServices: true })("Reading a task", (it) => {
  it.effect("shows the result once it is there, and then says no more when to ask again", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* submit({ content: "echo" })).text)
      const path = `/api/v1/tasks/${task_id}`
      const orchestrator = yield* Orchestrator
      const finished = (yield* task((yield* get(path)).text)).id
      yield* Effect.repeat(orchestrator.get(finished), { until: ({ status }) => status === "COMPLETED" })
      const answer = yield* get(path)
      assert.strictEqual((yield* task(answer.text)).result, "echo")
      assert.isUndefined(answer.headers["retry-after"])
    })
  )

  it.effect("HEAD gives the headers of GET and no body", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* submit({ content: "a" })).text)
      const orchestrator = yield* Orchestrator
      const { id } = yield* task((yield* get(`/api/v1/tasks/${task_id}`)).text)
      yield* Effect.repeat(orchestrator.get(id), { until: ({ status }) => status === "COMPLETED" })
      const whole = yield* get(`/api/v1/tasks/${task_id}`)
      const head = yield* ask({ method: "HEAD", path: `/api/v1/tasks/${task_id}` })
      const { date: _, ...expected } = whole.headers
      const { date: __, ...headers } = head.headers
      assert.deepStrictEqual(headers, expected)
      assert.strictEqual(head.text, "")
      for (const path of ["/api/v1/tasks", "/health/live", "/openapi.json", "/docs"]) {
        const answer = yield* ask({ method: "HEAD", path })
        assert.strictEqual(answer.status, 200, path)
        assert.strictEqual(answer.text, "", path)
      }
    })
  )
})

layer(served({ runner: Layer.succeed(TaskRunner, TaskRunner.of({ run: () => Effect.never })) }), {
  excludeTestServices: true
})("Polling a task", (it) => {
  it.effect("says when to ask again, and answers 304 until the task has changed", () =>
    Effect.gen(function* () {
      const orchestrator = yield* Orchestrator
      const { task_id } = yield* submitted((yield* submit({ content: "a", run_at: "2999-01-01T00:00:00Z" })).text)
      const path = `/api/v1/tasks/${task_id}`
      const first = yield* get(path)
      const { etag = "" } = first.headers
      assert.strictEqual(etag, `W/"${(yield* task(first.text)).revision}"`)
      assert.strictEqual(first.headers["retry-after"], "1")

      for (const known of [etag, etag.slice(2), `"x", ${etag}`, "*"]) {
        const unchanged = yield* get(path, { "if-none-match": known })
        assert.strictEqual(unchanged.status, 304, known)
        assert.strictEqual(unchanged.text, "")
        assert.strictEqual(unchanged.headers["etag"], etag)
        assert.strictEqual(unchanged.headers["retry-after"], "1")
      }
      assert.strictEqual((yield* get(path, { "if-none-match": `W/"0"` })).status, 200)

      yield* orchestrator.cancel((yield* task(first.text)).id)
      const changed = yield* get(path, { "if-none-match": etag })
      assert.strictEqual(changed.status, 200)
      assert.notStrictEqual(changed.headers["etag"], etag)
      assert.isUndefined(changed.headers["retry-after"])
    })
  )
})

const forty = tasks(40, (index) => ({
  content: `content ${index} <&=>`,
  type: index % 2 === 0 ? "even" : "odd",
  tags: index % 10 === 0 ? ["ten", "a b&c=d"] : []
}))

layer(
  served({
    memory: { tasks: forty },
    // nothing is claimed: the list stays as it is
    runner: Layer.succeed(TaskRunner, TaskRunner.of({ run: () => Effect.never }))
  }),
  { excludeTestServices: true }
)("Listing tasks", (it) => {
  const ids = (text: string) => Effect.map(taskList(text), (list) => list.map(({ id }) => id))
  const newestFirst = forty.map(({ id }) => id).toReversed()

  it.effect("gives all of them, newest first", () =>
    Effect.gen(function* () {
      const answer = yield* get("/api/v1/tasks")
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers["content-type"], "application/json")
      assert.strictEqual(answer.headers["cache-control"], "no-store")
      assert.isUndefined(answer.headers["link"])
      assert.deepStrictEqual(yield* ids(answer.text), newestFirst)
    })
  )

  it.effect("by status, type, tag and text, and by all of them together", () =>
    Effect.gen(function* () {
      const count = (query: string) =>
        Effect.flatMap(get(`/api/v1/tasks?${query}`), ({ text }) => Effect.map(ids(text), (all) => all.length))
      assert.strictEqual(yield* count("type=odd"), 20)
      assert.strictEqual(yield* count("tag=ten"), 4)
      assert.strictEqual(yield* count("tag=a%20b%26c%3Dd"), 4)
      assert.strictEqual(yield* count("tag=a+b%26c%3Dd"), 4)
      assert.strictEqual(yield* count("q=content%203"), 11)
      assert.strictEqual(yield* count("q=%3C%26%3D%3E"), 40)
      assert.strictEqual(yield* count("q=nothing"), 0)
      assert.strictEqual(yield* count("status=COMPLETED"), 0)
      assert.strictEqual(yield* count("type=even&tag=ten&q=content%202&limit=500"), 1)
    })
  )

  for (const filter of ["", "type=odd&", "tag=a%20b%26c%3Dd&q=%3C%26&"]) {
    for (const limit of [1, 3, 20, 500]) {
      it.effect(`page by page visits every task once: ${filter}limit=${limit}`, () =>
        Effect.gen(function* () {
          const whole = yield* ids((yield* get(`/api/v1/tasks?${filter}`)).text)
          const seen: Array<string> = []
          let next: string | undefined = `/api/v1/tasks?${filter}limit=${limit}`
          while (next !== undefined) {
            const answer: Answer = yield* get(next)
            const page = yield* ids(answer.text)
            assert.isAtMost(page.length, limit)
            assert.strictEqual(answer.headers["content-length"], String(Buffer.byteLength(answer.text)))
            seen.push(...page)
            next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers["link"]))?.[1]
            if (next !== undefined) assert.isNotEmpty(page)
          }
          assert.deepStrictEqual(seen, whole)
          assert.isNotEmpty(seen)
        })
      )
    }
  }

  it.effect("a page begins after its cursor, whether or not that task still is", () =>
    Effect.gen(function* () {
      const cursor = "0198c0de-0000-7000-8000-000000000005"
      assert.deepStrictEqual(yield* ids((yield* get(`/api/v1/tasks?limit=2&cursor=${cursor}`)).text), [
        "0198c0de-0000-7000-8000-000000000004",
        "0198c0de-0000-7000-8000-000000000003"
      ])
      assert.lengthOf(
        yield* ids((yield* get(`/api/v1/tasks?limit=2&cursor=ffffffff-ffff-7fff-bfff-ffffffffffff`)).text),
        2
      )
      assert.lengthOf(yield* ids((yield* get(`/api/v1/tasks?cursor=${cursor}`)).text), 5)
      assert.deepStrictEqual(
        yield* json(yield* get(`/api/v1/tasks?limit=2&cursor=00000000-0000-0000-0000-000000000000`)),
        []
      )
    })
  )
})

layer(served(), { excludeTestServices: true })("Listing no tasks", (it) => {
  it.effect("gives an empty array, whole or by page", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("/api/v1/tasks")).text, "[]")
      assert.strictEqual((yield* get("/api/v1/tasks?limit=1")).text, "[]")
    })
  )
})
