import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Script } from "node:vm"
import { TypeInfo } from "../../src/api/TypesApi.ts"
import { TaskHandlers, TaskRunner, TaskType, TaskTypes } from "../../src/index.ts"
import { SendEmail } from "../typed/SendEmail.ts"
import { ask, get, json, post, problemOf, served, submit, submitted } from "./support.ts"

interface Tree {
  readonly name: string
  readonly children: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree))
})
/** Its name is none that OpenAPI allows, and its payload stands in itself. */
const Plant = TaskType.make("garden/plant:tree", { payload: Tree })
/** Known here, and done elsewhere. */
const Ship = TaskType.make("ship", {
  payload: Schema.Struct({ to: Schema.Struct({ zip: Schema.Int }).annotate({ identifier: "Address" }) })
})

const runner = TaskHandlers.layer(SendEmail, Plant).pipe(
  Layer.provide([SendEmail.toLayer(() => Effect.succeed({ sentAt: new Date(0) })), Plant.toLayer(() => Effect.void)]),
  Layer.provide(TaskTypes.layer(Ship))
)

const type = "send-email"
const content = JSON.stringify({ to: { address: "you@here.org" }, subject: "hello" })
const bad = JSON.stringify({ to: { address: "x" }, subject: 1, urgent: true })
const issues = [
  { path: "content.urgent", message: "Unknown field" },
  { path: "content.to.address", message: "Expected a value with a length of at least 3" },
  { path: "content.subject", message: "Expected string" }
]
const wire = { "content-type": "application/json" }
const send = (method: string, path: string, body: unknown) =>
  ask({ method, path, headers: wire, body: JSON.stringify(body) })

const within = (place: string) => issues.map(({ message, path }) => ({ path: `${place}.${path}`, message }))

layer(served({ runner }), { excludeTestServices: true })("Content of a registered type", (it) => {
  it.effect("that is none of it is refused, with every field that is wrong", () =>
    Effect.gen(function* () {
      const plain = yield* problemOf(yield* submit({ type, content: bad }))
      assert.deepInclude(plain, { status: 400, type: "urn:venom:problem:invalid-request", errors: issues })
      assert.include(plain.detail, "content.to.address: Expected")
      const ordinary = yield* post(JSON.stringify({ type, content: bad }), { "idempotency-key": "one" })
      assert.deepStrictEqual((yield* problemOf(ordinary)).errors, issues)
      const tasks = [{ content: "any" }, { type, content: bad }, { type, content }]
      const bulk = yield* problemOf(yield* send("POST", "/api/v1/tasks/bulk", { tasks }))
      assert.deepInclude(bulk, { status: 400, errors: within("tasks[1]") })
      const schedule = { every: "1 day", task: { type, content: bad } }
      const put = yield* problemOf(yield* send("PUT", "/api/v1/schedules/daily", schedule))
      assert.deepInclude(put, { status: 400, errors: within("task") })
      assert.strictEqual((yield* get("/api/v1/schedules/daily")).status, 404)
      assert.strictEqual((yield* get("/api/v1/tasks")).text, "[]")
    })
  )

  it.effect("is refused and completed in the same words on the short way and on the ordinary one", () =>
    Effect.gen(function* () {
      const both = (body: Readonly<Record<string, unknown>>) =>
        Effect.forEach([{}, { "x-unknown": "header" }], (headers) => post(JSON.stringify(body), headers))
      const [short, ordinary] = yield* both({ type, content: bad })
      assert.strictEqual(short?.text, ordinary?.text)
      const other = JSON.stringify({ to: { address: "both@here.org" }, subject: "hello" })
      // its unique key comes from the content: the second is the first
      const [first, second] = yield* both({ type, content: other, delay: "1 hour" })
      assert.deepStrictEqual([first?.status, second?.status], [201, 201])
      assert.strictEqual(first?.text, second?.text)
    })
  )

  it.effect("that is no JSON is refused, and so is a copy that would have it", () =>
    Effect.gen(function* () {
      const [issue] = (yield* problemOf(yield* submit({ type, content: "hello" }))).errors ?? []
      assert.strictEqual(issue?.path, "content")
      const { task_id } = yield* submitted((yield* submit({ content: bad, type: "untyped" })).text)
      const copy = yield* problemOf(yield* submit({ copy_of: task_id, type }))
      assert.deepInclude(copy, { status: 400, errors: issues })
      const good = yield* submitted((yield* submit({ copy_of: task_id, type, content })).text)
      const task = yield* json(yield* get(`/api/v1/tasks/${good.task_id}`))
      // as a copy of another task, but for its keys
      assert.deepInclude(task, { content, priority: 0, tags: [], concurrency_key: "here.org" })
    })
  )

  it.effect("that makes no key is refused with the key that is wrong", () =>
    Effect.gen(function* () {
      const long = JSON.stringify({ to: { address: "you@here.org" }, subject: "x".repeat(300) })
      const { errors } = yield* problemOf(yield* submit({ type, content: long }))
      assert.deepStrictEqual(
        errors?.map(({ path }) => path),
        ["unique_key"]
      )
    })
  )

  it.effect("is anything where the type is not registered, and is held where nobody has work for it", () =>
    Effect.gen(function* () {
      const other = yield* submitted((yield* submit({ type: "other", content: "{" })).text)
      const why = yield* json(yield* get(`/api/v1/tasks/${other.task_id}/why`))
      assert.include(JSON.stringify(why), '"No handler for type other here; ')
    })
  )

  it.effect("may be known to be done elsewhere", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted((yield* submit({ type: "ship", content: '{"to":{"zip":1}}' })).text)
      yield* send("POST", `/api/v1/tasks/${task_id}/cancel`, {})
      const task = yield* json(yield* get(`/api/v1/tasks/${task_id}`))
      assert.deepInclude(task, { failure: { reason: "cancelled", message: "cancelled on request" } })
    })
  )
})

const infos = Effect.flatMap(get("/api/v1/types"), ({ text }) =>
  Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(TypeInfo)), { onExcessProperty: "error" })(text)
)

describe("The list of types", () => {
  it.live("tells what they are, what they have by default, whether they are done here, and how many there are", () =>
    Effect.gen(function* () {
      yield* submit({ type: "ship", content: '{"to":{"zip":1}}' })
      const [plant, email, ship] = yield* infos
      assert.deepStrictEqual([plant?.name, email?.name, ship?.name], ["garden/plant:tree", type, "ship"])
      assert.deepStrictEqual([plant?.handled, email?.handled, ship?.handled], [true, true, false])
      assert.deepStrictEqual(email?.defaults, {
        priority: 3,
        maxAttempts: 4,
        timeout: "30 seconds",
        backoff: { kind: "fixed", base: "10 seconds", jitter: 0 },
        deadline: "1 hour",
        retention: "1 day",
        tags: ["mail"]
      })
      assert.deepStrictEqual(ship?.counts, { PENDING: 1, PROCESSING: 0, COMPLETED: 0, FAILED: 0 })
      assert.deepStrictEqual(email?.counts, { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 })
      assert.deepStrictEqual(ship?.payload, {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: { to: { $ref: "#/$defs/ship.payload.Address" } },
        required: ["to"],
        additionalProperties: false,
        $defs: {
          "ship.payload.Address": {
            type: "object",
            properties: {
              zip: { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
            },
            required: ["zip"],
            additionalProperties: false
          }
        }
      })
      assert.deepInclude(email?.failure, { $ref: "#/$defs/send-email.failure.BouncedEncoded" })
      assert.deepInclude(plant?.success, { type: "null" })
      assert.strictEqual((yield* problemOf(yield* get("/api/v1/types?colour=red"))).status, 400)
    }).pipe(Effect.provide(served({ runner })))
  )

  it.live("has those that a runner has work for and nobody has registered", () =>
    Effect.gen(function* () {
      const [only, ...none] = yield* infos
      assert.deepStrictEqual(none, [])
      assert.deepInclude(only, { name: "mail", handled: true, payload: null, success: null, failure: null })
    }).pipe(
      Effect.provide(
        served({ runner: Layer.succeed(TaskRunner, { run: () => Effect.never, types: new Set(["mail"]) }) })
      )
    )
  )

  it.live("is empty where every task is taken as it comes", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* infos, [])
    }).pipe(Effect.provide(served()))
  )
})

describe("The OpenAPI document with registered types", () => {
  const Document = Schema.fromJsonString(
    Schema.Struct({ components: Schema.Struct({ schemas: Schema.Record(Schema.String, Schema.Json) }) })
  )

  it.live("has their schemas, and each request says what its content is then", () =>
    Effect.gen(function* () {
      const { text } = yield* get("/openapi.json")
      const { components } = yield* Schema.decodeUnknownEffect(Document)(text)
      for (const [, name = ""] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]*)"/g)) {
        assert.property(components.schemas, name)
      }
      assert.notInclude(text, "#/$defs/")
      for (const name of Object.keys(components.schemas)) assert.match(name, /^[\w.-]+$/)
      const payload = "garden_plant_tree.payload"
      assert.containsAllKeys(components.schemas, [payload, "send-email.success", "send-email.failure", "ship.payload"])
      for (const request of ["TaskRequest", "TaskCopyRequest", "TaskTemplate"]) {
        const schema = yield* Schema.decodeUnknownEffect(Schema.Struct({ allOf: Schema.Array(Schema.Json) }))(
          components.schemas[request]
        )
        assert.deepStrictEqual(schema.allOf[0], {
          anyOf: [
            { properties: { type: { not: { const: "garden/plant:tree" } } } },
            {
              properties: {
                content: {
                  contentMediaType: "application/json",
                  contentSchema: { $ref: `#/components/schemas/${payload}` }
                }
              }
            }
          ]
        })
      }
      const page = yield* get("/docs")
      assert.include(page.text, payload)
      for (const [, attributes = "", program = ""] of page.text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
        assert.doesNotThrow(() => (attributes.includes("json") ? JSON.parse(program) : new Script(program)))
      }
    }).pipe(Effect.provide(served({ runner })))
  )
})
