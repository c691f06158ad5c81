import { assert, describe, it, layer } from "@effect/vitest"
import { Deferred, Effect, Fiber, Latch, Layer } from "effect"
import { Headers } from "effect/http"
import type { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import * as Waiting from "../../src/server/Waiting.ts"
import { echoRunner, get, idleRunner, json, post, served, submitted, tasks } from "./support.ts"

describe("how long a client would wait", () => {
  const said = [
    ["wait=10", 10],
    ["WAIT = 10", 10],
    ['wait="10"', 10],
    ["wait=0", 0],
    ["wait=007", 7],
    ["wait=61", 60],
    [`wait=${"9".repeat(400)}`, 60],
    ["respond-async, wait=10", 10],
    ['foo="a, wait=1", wait=2', 2],
    ["wait=3; foo=bar, wait=4", 3],
    ["handling=lenient; wait=5", undefined],
    ['a="b\\", wait=1", wait=2', 2],
    ['a="never closed, wait=1', undefined],
    ["\\, wait=4", 4],
    ["wait", undefined],
    ["wait=", undefined],
    ["wait=-1", undefined],
    ["wait=1.5", undefined],
    ["wait=ten", undefined],
    ["wait=1e1", undefined],
    // the first one counts, and it says nothing
    ["wait=x, wait=5", undefined],
    ["await=5", undefined],
    ["", undefined]
  ] as const
  for (const [prefer, seconds] of said) {
    it(`${prefer.slice(0, 40)} is ${seconds}`, () => {
      assert.strictEqual(Waiting.secondsOf({ headers: Headers.fromInput({ prefer }) }), seconds)
    })
  }
})

const wait = (seconds: number | string) => ({ prefer: `wait=${seconds}` })
const statusOf = (answer: { readonly text: string }) =>
  Effect.map(json({ ...answer, status: 0, headers: {} }), (body) =>
    typeof body === "object" && body !== null && "status" in body ? body.status : undefined
  )

layer(served({ runner: echoRunner }), { excludeTestServices: true })("With Prefer: wait", (it) => {
  it.effect("a submit is answered with the task's end", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* post(`{"content":"a"}`, wait(30))
      assert.strictEqual(status, 201)
      assert.strictEqual(headers["preference-applied"], "wait=30")
      assert.match(String(headers["location"]), /^\/api\/v1\/tasks\/[0-9a-f-]{36}$/)
      assert.match(text, /^\{"task_id":"[0-9a-f-]{36}","status":"COMPLETED"\}$/)
    })
  )

  it.effect("a task that is final is answered at once, and as ever", () =>
    Effect.gen(function* () {
      const { headers } = yield* post(`{"content":"b"}`, wait(30))
      const path = headers["location"] ?? ""
      const waited = yield* get(path, wait(100))
      assert.strictEqual(waited.headers["preference-applied"], "wait=60")
      const plain = yield* get(path)
      assert.strictEqual(waited.text, plain.text)
      assert.strictEqual(waited.headers["etag"], plain.headers["etag"])
      assert.isUndefined(plain.headers["preference-applied"])
      const known = yield* get(path, { ...wait(1), "if-none-match": plain.headers["etag"] ?? "" })
      assert.strictEqual(known.status, 304)
      assert.strictEqual(known.headers["preference-applied"], "wait=1")
    })
  )

  it.effect("an idempotent submit waits again when it is repeated", () =>
    Effect.gen(function* () {
      const headers = { ...wait(30), "idempotency-key": "k" }
      const [first, again] = [yield* post(`{"content":"c"}`, headers), yield* post(`{"content":"c"}`, headers)]
      assert.strictEqual(again.text, first.text)
      assert.strictEqual(again.headers["idempotency-replayed"], "true")
    })
  )
})

layer(served({ runner: idleRunner }), { excludeTestServices: true })("With Prefer: wait on what does not end", (it) => {
  it.effect("the answer comes after as many seconds, with the status of that moment", () =>
    Effect.gen(function* () {
      const began = performance.now()
      const answer = yield* post(`{"content":"a"}`, wait(1))
      assert.isAtLeast(performance.now() - began, 990)
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(yield* statusOf(answer), "PROCESSING")
      const found = yield* get(answer.headers["location"] ?? "", wait(1))
      assert.isAtLeast(performance.now() - began, 1980)
      assert.strictEqual(yield* statusOf(found), "PROCESSING")
      assert.strictEqual(found.headers["retry-after"], "1")
    })
  )

  it.effect("what is said wrongly is not said, and nothing is waited for", () =>
    Effect.gen(function* () {
      const answers = [yield* post(`{"content":"a"}`, wait("soon")), yield* post(`{"content":"a"}`, wait(0))]
      assert.deepStrictEqual(
        answers.map(({ headers, status }) => [status, headers["preference-applied"]]),
        [
          [201, undefined],
          [201, "wait=0"]
        ]
      )
    })
  )
})

describe("a client that hangs up", () => {
  it.live("waits no longer, and what it has submitted stays", () =>
    Effect.gen(function* () {
      const waiting = yield* Deferred.make<void>()
      const left = yield* Deferred.make<void>()
      const orchestrator = (own: Orchestrator["Service"]): Partial<Orchestrator["Service"]> => ({
        awaitFinal: (id) =>
          Effect.andThen(Deferred.succeed(waiting, undefined), own.awaitFinal(id)).pipe(
            Effect.onInterrupt(() => Deferred.succeed(left, undefined))
          )
      })
      yield* Effect.gen(function* () {
        const answer = yield* Effect.forkChild(post(`{"content":"a"}`, wait(60)))
        yield* Deferred.await(waiting)
        yield* Fiber.interrupt(answer)
        yield* Deferred.await(left)
        assert.lengthOf(JSON.parse((yield* get("/api/v1/tasks")).text), 1)
      }).pipe(Effect.provide(served({ orchestrator })))
    })
  )
})

const gate = Latch.makeUnsafe(false)
const gated = Layer.succeed(TaskRunner, { run: ({ content }) => Effect.as(gate.await, content) })

layer(served({ runner: gated, memory: { tasks: tasks(50, (n) => ({ content: `${n}` })) } }), {
  excludeTestServices: true
})("Many who wait", (it) => {
  it.effect("are all answered when their task ends, and the log says of none that it was slow", () =>
    Effect.gen(function* () {
      const ids = tasks(50, (n) => ({ content: `${n}` })).map(({ id }) => id)
      const answers = yield* Effect.forEach([...ids, ...ids], (id) =>
        Effect.forkChild(get(`/api/v1/tasks/${id}`, wait(60)), { startImmediately: true })
      )
      const late = yield* submitted((yield* post(`{"content":"late"}`)).text)
      const last = yield* Effect.forkChild(get(`/api/v1/tasks/${late.task_id}`, wait(60)))
      yield* gate.open
      for (const answer of [...answers, last]) {
        assert.strictEqual(yield* statusOf(yield* Fiber.join(answer)), "COMPLETED")
      }
    })
  )
})
