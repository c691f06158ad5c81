import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import * as MemoryStateRepository from "../../src/adapters/memory/MemoryStateRepository.ts"
import { type Answer, ask, get, json, post, problemOf, running, served, submitted } from "./support.ts"

const Responses = Schema.fromJsonString(Schema.Array(Schema.Struct({ task_id: Schema.String, status: Schema.String })))
const responses = ({ text }: Answer) => Schema.decodeUnknownEffect(Responses)(text)

const bulk = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  ask({
    method: "POST",
    path: "/api/v1/tasks/bulk",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers }
  })

const keyed = (key: string, body: string) => post(body, { "idempotency-key": key })
const count = Effect.map(get("/api/v1/tasks"), ({ text }) => (text.match(/"id":/g) ?? []).length)
const range = (length: number) => Array.from({ length }, (_, n) => n)
const unknown = "0198c0de-0000-7000-8000-00000000ffff"

describe("POST /api/v1/tasks/bulk", () => {
  layer(served(), { excludeTestServices: true })((it) => {
    it.effect("takes 1,000 tasks and answers in their order", () =>
      Effect.gen(function* () {
        const answer = yield* bulk({ tasks: range(1000).map((n) => ({ content: `${n}`, type: "bulk" })) })
        assert.strictEqual(answer.status, 201)
        assert.strictEqual(answer.headers["content-type"], "application/json")
        assert.isUndefined(answer.headers["idempotency-replayed"])
        const made = yield* responses(answer)
        const ids = made.map(({ task_id }) => task_id)
        assert.deepStrictEqual(ids, ids.toSorted())
        assert.strictEqual(new Set(ids).size, 1000)
        assert.deepStrictEqual(new Set(made.map(({ status }) => status)), new Set(["PENDING"]))
        const last = yield* json(yield* get(`/api/v1/tasks/${ids[999] ?? ""}`))
        assert.include(last, { content: "999", type: "bulk" })
      })
    )

    const rows: ReadonlyArray<readonly [string, unknown, number, ReadonlyArray<string>]> = [
      ["no list", {}, 400, ["tasks"]],
      ["something else beside it", { tasks: [{ content: "a" }], all: true }, 400, ["all"]],
      ["an empty list", { tasks: [] }, 400, ["tasks"]],
      ["1,001 tasks", { tasks: range(1001).map(() => ({ content: "a" })) }, 400, ["tasks"]],
      ["a list of one thing more", { tasks: [{ content: "a" }, 1] }, 400, ["tasks[1]"]],
      ["a list in a list", { tasks: [[{ content: "a" }]] }, 400, ["tasks[0]"]],
      [
        "wrong fields here and there",
        { tasks: [{ content: "a" }, { content: 1, tags: ["a", 1] }, {}, { content: "a", colour: "red" }] },
        400,
        ["tasks[1].content", "tasks[1].tags[1]", "tasks[2].content", "tasks[3].colour"]
      ],
      ["a bad copy", { tasks: [{ content: "a" }, { copy_of: "17" }] }, 400, ["tasks[1].copy_of"]],
      ["a copy of nothing", { tasks: [{ content: "a" }, { copy_of: unknown }] }, 404, []],
      ["a huge content", { tasks: [{ content: "a" }, { content: "x".repeat(1_048_577) }] }, 413, ["tasks[1].content"]],
      ["a list that is all wrong", { tasks: range(1000).map(() => 1) }, 400, range(100).map((n) => `tasks[${n}]`)],
      ["one task", { content: "a" }, 400, ["tasks", "content"]]
    ]
    for (const [what, body, status, paths] of rows) {
      it.effect(`takes nothing of ${what}, and says where`, () =>
        Effect.gen(function* () {
          const before = yield* count
          const answer = yield* bulk(body)
          const problem = yield* problemOf(answer)
          assert.strictEqual(answer.status, status)
          assert.sameMembers(
            (problem.errors ?? []).map(({ path }) => path),
            [...paths]
          )
          if (status === 404) assert.strictEqual(problem.task_id, unknown)
          assert.strictEqual(yield* count, before)
        })
      )
    }
  })
})

describe("copy_of", () => {
  layer(served(), { excludeTestServices: true })((it) => {
    it.effect("makes a task like another one, with changes", () =>
      Effect.gen(function* () {
        const first = yield* submitted(
          (yield* post(`{"content":"a","type":"mail","tags":["x"],"max_attempts":7}`)).text
        )
        const answer = yield* post(`{"copy_of":"${first.task_id.toUpperCase()}","content":"b","priority":2}`)
        assert.strictEqual(answer.status, 201)
        const { task_id } = yield* submitted(answer.text)
        assert.notStrictEqual(task_id, first.task_id)
        assert.strictEqual(answer.headers["location"], `/api/v1/tasks/${task_id}`)
        const copy = yield* json(yield* get(`/api/v1/tasks/${task_id}`))
        assert.deepInclude(copy, { content: "b", type: "mail", tags: ["x"], max_attempts: 7, priority: 2 })
      })
    )

    it.effect("of what is not there is a 404, of what is no id or with wrong fields a 400", () =>
      Effect.gen(function* () {
        const missing = yield* post(`{"copy_of":"${unknown}"}`)
        assert.strictEqual(missing.status, 404)
        assert.strictEqual((yield* problemOf(missing)).task_id, unknown)
        const wrong = yield* problemOf(yield* post(`{"copy_of":1,"colour":"red"}`))
        assert.sameMembers(
          (wrong.errors ?? []).map(({ path }) => path),
          ["copy_of", "colour"]
        )
      })
    )
  })
})

describe("unique_key", () => {
  layer(served(), { excludeTestServices: true })((it) => {
    it.effect("is answered with the unfinished task that has it", () =>
      Effect.gen(function* () {
        const first = yield* post(`{"content":"a","unique_key":"u"}`)
        const { task_id } = yield* submitted(first.text)
        yield* running(task_id)
        const second = yield* post(`{"content":"b","unique_key":"u"}`)
        assert.strictEqual(second.status, 201)
        assert.strictEqual(second.headers["location"], `/api/v1/tasks/${task_id}`)
        // it runs by now
        assert.deepStrictEqual(yield* json(second), { task_id, status: "PROCESSING" })
        yield* ask({ method: "POST", path: `/api/v1/tasks/${task_id}/cancel` })
        const third = yield* submitted((yield* post(`{"content":"b","unique_key":"u"}`)).text)
        assert.notStrictEqual(third.task_id, task_id)
      })
    )
  })
})

describe("Idempotency-Key", () => {
  layer(served(), { excludeTestServices: true })((it) => {
    it.effect("answers the same request with the first task, whatever its spelling", () =>
      Effect.gen(function* () {
        const first = yield* keyed("k1", `{"content":"a","priority":1,"run_at":"2999-01-01T00:00:00Z"}`)
        assert.strictEqual(first.status, 201)
        assert.isUndefined(first.headers["idempotency-replayed"])
        const again = yield* keyed(
          `"k1"`,
          ` {"run_at":"2999-01-01T01:00:00.000+01:00", "priority":1e0,"content":"\\u0061"}`
        )
        assert.strictEqual(again.status, 201)
        assert.strictEqual(again.headers["idempotency-replayed"], "true")
        assert.strictEqual(again.text, first.text)
        assert.strictEqual(again.headers["location"], first.headers["location"])
      })
    )

    it.effect("of another request is a 422, and nothing is made", () =>
      Effect.gen(function* () {
        yield* keyed("k2", `{"content":"a"}`)
        const before = yield* count
        const others = [
          yield* keyed("k2", `{"content":"b"}`),
          yield* keyed("k2", `{"content":"a","priority":0}`),
          yield* bulk({ tasks: [{ content: "a" }] }, { "idempotency-key": "k2" })
        ]
        for (const answer of others) {
          assert.strictEqual(answer.status, 422)
          assert.strictEqual((yield* problemOf(answer)).type, "urn:venom:problem:idempotency-key-reused")
        }
        assert.strictEqual(yield* count, before)
      })
    )

    it.effect("stands for a whole bulk", () =>
      Effect.gen(function* () {
        const send = bulk({ tasks: range(3).map((n) => ({ content: `${n}` })) }, { "idempotency-key": "k3" })
        const first = yield* send
        const again = yield* send
        assert.deepStrictEqual([first.status, again.status], [201, 201])
        assert.strictEqual(again.headers["idempotency-replayed"], "true")
        assert.deepStrictEqual(
          (yield* responses(again)).map(({ task_id }) => task_id),
          (yield* responses(first)).map(({ task_id }) => task_id)
        )
      })
    )

    it.effect("has a form, and what has another one is refused by name", () =>
      Effect.gen(function* () {
        const longest = "x".repeat(255)
        for (const key of [
          "a",
          "!~",
          `a"b\\c`,
          longest,
          `"${longest}"`,
          `"\\"\\\\"`,
          "8e03978e-40d5-43e8-bc93-6894a57f9324"
        ]) {
          assert.strictEqual((yield* keyed(key, `{"content":"a"}`)).status, 201, key)
        }
        // one key, written in two ways
        assert.strictEqual((yield* keyed(`"a\\"b\\\\c"`, `{"content":"a"}`)).headers["idempotency-replayed"], "true")
        const before = yield* count
        for (const key of [
          "",
          " ",
          "a b",
          "a, b",
          `"`,
          `""`,
          `"a`,
          `"a"b"`,
          `"a b"`,
          `"\\a"`,
          "é",
          "x".repeat(256),
          `"${"x".repeat(256)}"`
        ]) {
          const answer = yield* keyed(key, `{"content":"a"}`)
          assert.strictEqual(answer.status, 400, key)
          assert.deepStrictEqual(
            (yield* problemOf(answer)).errors?.map(({ path }) => path),
            ["idempotency-key"]
          )
        }
        assert.strictEqual(yield* count, before)
      })
    )

    it.effect("of a request that is wrong is still free", () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* keyed("k4", `{"content":1}`)).status, 400)
        assert.strictEqual((yield* keyed("k4", `{"copy_of":"${unknown}"}`)).status, 404)
        const answer = yield* keyed("k4", `{"content":"a"}`)
        assert.strictEqual(answer.status, 201)
        assert.isUndefined(answer.headers["idempotency-replayed"])
      })
    )

    it.effect("in a hundred requests at once makes one task", () =>
      Effect.gen(function* () {
        const before = yield* count
        const answers = yield* Effect.all(
          range(100).map(() => keyed("k5", `{"content":"a"}`)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([201]))
        assert.strictEqual(new Set(answers.map(({ headers }) => headers["location"])).size, 1)
        assert.strictEqual(answers.filter(({ headers }) => headers["idempotency-replayed"] === "true").length, 99)
        assert.strictEqual(yield* count, before + 1)
      })
    )
  })

  it.live("of a request that storage refused is still free", () => {
    let isOut = true
    const repository = Layer.effect(
      StateRepository,
      Effect.map(StateRepository, (memory) => ({
        ...memory,
        insert: (...asked: Parameters<typeof memory.insert>) =>
          Effect.suspend(() => (isOut ? Effect.fail(new StorageError({ reason: "out" })) : memory.insert(...asked)))
      }))
    ).pipe(Layer.provide(MemoryStateRepository.layer()))
    return Effect.gen(function* () {
      for (const answer of [
        yield* keyed("k", `{"content":"a"}`),
        yield* bulk({ tasks: [{ content: "a" }] }, { "idempotency-key": "k" })
      ]) {
        assert.strictEqual(answer.status, 503)
        assert.strictEqual(answer.headers["retry-after"], "1")
        yield* problemOf(answer)
      }
      isOut = false
      const answer = yield* keyed("k", `{"content":"b"}`)
      assert.strictEqual(answer.status, 201)
      assert.isUndefined(answer.headers["idempotency-replayed"])
    }).pipe(Effect.provide(served({ repository })))
  })
})
