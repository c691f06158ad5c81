import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Latch, Layer, Schema } from "effect"
import { createHash } from "node:crypto"
import { Script } from "node:vm"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { FlowControl } from "../../src/engine/FlowControl.ts"
import type { Orchestrator } from "../../src/engine/Orchestrator.ts"
import { Nodes } from "../../src/engine/Nodes.ts"
import { Statistics } from "../../src/engine/Statistics.ts"
import { StorageReport } from "../../src/engine/StorageReport.ts"
import { Schedules } from "../../src/engine/Schedules.ts"
import { TypeCatalog } from "../../src/engine/TypeCatalog.ts"
import { ApiKeys } from "../../src/ports/ApiKeys.ts"
import { StorageError } from "../../src/ports/StorageError.ts"
import { after } from "../support/tasks.ts"
import { type Answer, ask, type Asked, get, served, tasks } from "./support.ts"

const Content = Schema.Record(Schema.String, Schema.Struct({ schema: Schema.Record(Schema.String, Schema.Unknown) }))
const Operation = Schema.Struct({
  parameters: Schema.Array(Schema.Struct({ name: Schema.String, in: Schema.String, required: Schema.Boolean })),
  requestBody: Schema.optionalKey(Schema.Struct({ content: Content, required: Schema.Boolean })),
  responses: Schema.Record(
    Schema.String,
    Schema.Struct({ description: Schema.String, content: Schema.optionalKey(Content) })
  )
})
const JsonSchema = Schema.Struct({
  properties: Schema.optionalKey(Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Unknown))),
  required: Schema.optionalKey(Schema.Array(Schema.String))
})
const Document = Schema.fromJsonString(
  Schema.Struct({
    openapi: Schema.Literal("3.1.0"),
    paths: Schema.Record(Schema.String, Schema.Record(Schema.String, Operation)),
    components: Schema.Struct({ schemas: Schema.Record(Schema.String, JsonSchema) })
  })
)
const document = Effect.flatMap(get("/openapi.json"), ({ text }) => Schema.decodeUnknownEffect(Document)(text))

const json = { "content-type": "application/json" }
const held = [
  ...tasks(2, () => ({ content: "known" })),
  ...tasks(7, () => ({ content: "cancelled" }))
    .slice(2)
    .map((task) => after(task, Lifecycle.cancel(Date.now())))
]
const pathOf = (index: number) => `/api/v1/tasks/${held[index]?.id ?? ""}`
const path = pathOf(0)
const unknown = "0198c0de-0000-7000-8000-00000000ffff"
const post: Asked = { method: "POST", path: "/api/v1/tasks", headers: json, body: `{"content":"a"}` }
const bulk: Asked = { ...post, path: "/api/v1/tasks/bulk", body: `{"tasks":[{"content":"a"}]}` }
const foreign = { host: "evil.example.org" }
const unacceptable = { accept: "image/png" }

const huge = JSON.stringify({ content: "x".repeat(3_000_000) })

/** What is refused before any handler sees it. */
const refusals = (asked: Asked): Readonly<Record<string, Asked>> => ({
  403: { ...asked, headers: { ...asked.headers, origin: "https://evil.example.org" } },
  406: { ...asked, headers: { ...asked.headers, ...unacceptable } },
  // without a length Node sends no body with DELETE
  413: { ...asked, headers: { ...json, "content-length": String(huge.length) }, body: huge },
  415: { ...asked, headers: { "content-length": "2" }, body: "{}" }
})

const schedulePath = "/api/v1/schedules/nightly"
const schedule = `{"cron":"0 3 * * *","task":{"content":"report"}}`

const reading = (path: string): Readonly<Record<string, Asked>> => ({
  200: { path },
  400: { path: `${path}?colour=red` },
  403: { path, headers: foreign },
  406: { path, headers: unacceptable }
})

const writing = (method: string, path: string, body: string): Readonly<Record<string, Asked>> => ({
  ...refusals({ method, path }),
  200: { method, path, headers: json, body },
  400: { method, path, headers: json, body: `{"colour":"red"}` }
})

/** What is asked of one task: of one that allows it, and of one that does not. */
const ofOne = (method: string, status: number, allowed: number, forbidden: number, action = "") => {
  const asked: Asked = { method, path: `${pathOf(allowed)}${action}` }
  return {
    [status]: asked,
    400: { method, path: `/api/v1/tasks/1${action}` },
    404: { method, path: `/api/v1/tasks/${unknown}${action}` },
    409: { method, path: `${pathOf(forbidden)}${action}` },
    ...refusals(asked)
  }
}

const ofMany = (action: string) => {
  const asked: Asked = {
    method: "POST",
    path: `/api/v1/tasks/actions/${action}`,
    headers: json,
    body: `{"type":"none"}`
  }
  return {
    200: asked,
    400: { ...asked, body: "{}" },
    409: { ...asked, body: `{"expected":1000}` },
    ...refusals(asked)
  }
}

/** How to get every answer that the document promises, by operation and status. */
const provocations: Readonly<Record<string, Readonly<Record<string, Asked>>>> = {
  "post /api/v1/tasks": {
    201: { ...post, headers: { ...json, "idempotency-key": "one" } },
    400: { ...post, body: "{}" },
    404: { ...post, body: `{"copy_of":"${unknown}"}` },
    422: { ...post, headers: { ...json, "idempotency-key": "one" }, body: `{"content":"b"}` },
    ...refusals(post)
  },
  "post /api/v1/tasks/bulk": {
    201: { ...bulk, headers: { ...json, "idempotency-key": "many" } },
    400: { ...bulk, body: `{"tasks":[]}` },
    404: { ...bulk, body: `{"tasks":[{"copy_of":"${unknown}"}]}` },
    422: { ...bulk, headers: { ...json, "idempotency-key": "one" } },
    ...refusals(bulk)
  },
  "post /api/v1/tasks/{id}/cancel": ofOne("POST", 200, 1, 2, "/cancel"),
  "post /api/v1/tasks/{id}/retry": ofOne("POST", 200, 3, 0, "/retry"),
  "delete /api/v1/tasks/{id}": ofOne("DELETE", 204, 4, 0),
  "post /api/v1/tasks/actions/cancel": ofMany("cancel"),
  "post /api/v1/tasks/actions/retry": ofMany("retry"),
  "post /api/v1/tasks/actions/delete": ofMany("delete"),
  "get /api/v1/tasks": {
    200: { path: "/api/v1/tasks?limit=1" },
    400: { path: "/api/v1/tasks?limit=0" },
    403: { path: "/api/v1/tasks", headers: foreign },
    406: { path: "/api/v1/tasks", headers: unacceptable }
  },
  "get /api/v1/tasks/{id}": {
    200: { path },
    304: { path, headers: { "if-none-match": "*" } },
    400: { path: "/api/v1/tasks/1" },
    403: { path, headers: foreign },
    404: { path: `/api/v1/tasks/${unknown}` },
    406: { path, headers: unacceptable }
  },
  "get /api/v1/tasks/{id}/why": {
    200: { path: `${path}/why` },
    400: { path: "/api/v1/tasks/1/why" },
    403: { path: `${path}/why`, headers: foreign },
    404: { path: `/api/v1/tasks/${unknown}/why` },
    406: { path: `${path}/why`, headers: unacceptable }
  },
  "get /api/v1/tasks/{id}/events": {
    200: { path: `${pathOf(2)}/events` },
    400: { path: "/api/v1/tasks/1/events" },
    403: { path: `${path}/events`, headers: foreign },
    404: { path: `/api/v1/tasks/${unknown}/events` },
    406: { path: `${path}/events`, headers: unacceptable }
  },
  // one that succeeds never ends
  "get /api/v1/events": {
    400: { path: "/api/v1/events?colour=red" },
    403: { path: "/api/v1/events", headers: foreign },
    406: { path: "/api/v1/events", headers: unacceptable }
  },
  "get /api/v1/nodes": reading("/api/v1/nodes"),
  "get /api/v1/statistics": reading("/api/v1/statistics"),
  "get /api/v1/storage": reading("/api/v1/storage"),
  "get /api/v1/queue": reading("/api/v1/queue"),
  "post /api/v1/queue/pause": writing("POST", "/api/v1/queue/pause", `{"type":"nothing"}`),
  "post /api/v1/queue/resume": writing("POST", "/api/v1/queue/resume", "{}"),
  "get /api/v1/queue/limits": reading("/api/v1/queue/limits"),
  "put /api/v1/queue/limits": writing("PUT", "/api/v1/queue/limits", `{"types":{"a":{"concurrency":1}}}`),
  "get /api/v1/schedules": reading("/api/v1/schedules"),
  "get /api/v1/schedules/{name}": {
    ...reading(schedulePath),
    400: { path: "/api/v1/schedules/a%20b" },
    404: { path: "/api/v1/schedules/unknown" }
  },
  "put /api/v1/schedules/{name}": {
    ...writing("PUT", schedulePath, schedule),
    201: { method: "PUT", path: "/api/v1/schedules/new", headers: json, body: schedule }
  },
  "delete /api/v1/schedules/{name}": {
    ...refusals({ method: "DELETE", path: schedulePath }),
    204: { method: "DELETE", path: schedulePath },
    400: { method: "DELETE", path: schedulePath, headers: { ...json, "content-length": "3" }, body: "{x}" },
    404: { method: "DELETE", path: "/api/v1/schedules/unknown" }
  },
  "get /api/v1/types": reading("/api/v1/types"),
  "get /api/v1/session": reading("/api/v1/session"),
  "post /api/v1/session": {
    ...refusals({ method: "POST", path: "/api/v1/session" }),
    400: { method: "POST", path: "/api/v1/session", headers: json, body: "{}" }
  },
  "delete /api/v1/session": {
    204: { method: "DELETE", path: "/api/v1/session" },
    400: { method: "DELETE", path: "/api/v1/session?colour=red" },
    403: { method: "DELETE", path: "/api/v1/session", headers: foreign },
    406: { method: "DELETE", path: "/api/v1/session", headers: unacceptable }
  },
  "get /health/live": { 200: { path: "/health/live" }, 406: { path: "/health/live", headers: unacceptable } },
  "get /health/ready": { 200: { path: "/health/ready" }, 406: { path: "/health/ready", headers: unacceptable } }
}

/** What a service in trouble does with the requests that should succeed, by the status it then answers. */
const trouble = (effect: Effect.Effect<never, StorageError>): Partial<Orchestrator["Service"]> => ({
  submit: () => effect,
  submitAll: () => effect,
  submitOnce: () => effect,
  submitAllOnce: () => effect,
  cancel: () => effect,
  retry: () => effect,
  remove: () => effect,
  cancelAll: () => effect,
  retryAll: () => effect,
  removeAll: () => effect,
  get: () => effect,
  why: () => effect,
  follow: () => effect,
  followTask: () => effect,
  page: () => effect
})
const othersInTrouble = (effect: Effect.Effect<never, StorageError>) =>
  Layer.mergeAll(
    Layer.succeed(TypeCatalog, { registered: [], list: effect }),
    Layer.succeed(Nodes, { list: effect }),
    Layer.succeed(StorageReport, { report: effect }),
    // it asks no storage
    Layer.succeed(Statistics, {
      lastHour: Effect.catch(effect, () => Effect.succeed({ since: 0, minutes: [], failures: [] })),
      savedAt: Effect.undefined
    }),
    Layer.succeed(FlowControl, {
      state: effect,
      pause: () => effect,
      resume: () => effect,
      limits: effect,
      setLimits: () => effect
    }),
    Layer.effect(
      Schedules,
      Effect.map(Latch.make(true), (changed) => ({
        list: effect,
        get: () => effect,
        put: () => effect,
        remove: () => effect,
        changed
      }))
    )
  )

const bug = Effect.die("a bug")
const full = Effect.fail(new StorageError({ reason: "full" }))
const others: Readonly<Record<string, ReturnType<typeof othersInTrouble>>> = {
  500: othersInTrouble(bug),
  503: othersInTrouble(full)
}
const troubles: Readonly<Record<string, () => Partial<Orchestrator["Service"]>>> = {
  500: () => ({ ...trouble(bug), readiness: bug }),
  503: () => ({ ...trouble(full), readiness: Effect.succeed(["full"]) })
}

const elsewhere = new Set(["204 post /api/v1/session", "200 get /api/v1/events", "204 get /api/v1/tasks/{id}/events"])

const successOf = (operation: string): Asked => {
  const { 200: ok, 201: created, 204: gone, 406: endless } = provocations[operation] ?? {}
  return created ?? ok ?? gone ?? { path: endless?.path ?? "" }
}

layer(served({ memory: { tasks: held } }), { excludeTestServices: true })("The OpenAPI document", (it) => {
  it.effect("has the names that clients are made of", () =>
    Effect.gen(function* () {
      const { components } = yield* document
      assert.containsAllKeys(components.schemas, ["VenomTask", "TaskStatus", "TaskRequest", "TaskResponse"])
      assert.isEmpty(Object.keys(components.schemas).filter((name) => name.endsWith("Encoded")))
    })
  )

  it.effect("describes a task field by field as it is sent", () =>
    Effect.gen(function* () {
      const { components } = yield* document
      const sent: unknown = JSON.parse((yield* get(path)).text)
      const { properties = {}, required = [] } = components.schemas["VenomTask"] ?? {}
      assert.hasAllKeys(sent, required)
      // what a submit did not ask for is left out
      const wished = [
        "timeout",
        "backoff",
        "deadline",
        "concurrency_key",
        "unique_key",
        "retention",
        "traceparent",
        "callback"
      ]
      assert.sameMembers(Object.keys(properties), [...required, ...wished])
      for (const time of ["created_at", "run_at", "updated_at"])
        assert.strictEqual(properties[time]?.["format"], "date-time")
      assert.isString(components.schemas["TaskRequest"]?.properties?.["content"]?.["description"])
      assert.deepStrictEqual(components.schemas["TaskRequest"]?.required, ["content"])
    })
  )

  it.effect("promises nothing that is not answered, and what is answered is promised", () =>
    Effect.gen(function* () {
      yield* ask({ method: "PUT", path: schedulePath, headers: json, body: schedule })
      const { paths } = yield* document
      const operations = Object.entries(paths).flatMap(([route, methods]) =>
        Object.entries(methods).map(([method, operation]) => [`${method} ${route}`, operation] as const)
      )
      assert.sameMembers(
        operations.map(([name]) => name),
        Object.keys(provocations)
      )
      for (const [name, { responses }] of operations) {
        // they need a place in the history, and a client that leaves: the tests of streams have them
        const isElsewhere = (status: string) => elsewhere.has(`${status} ${name}`)
        const promised = Object.keys(responses).filter(
          (status) => !(status in troubles) && status !== "401" && status !== "429" && !isElsewhere(status)
        )
        assert.sameMembers(promised, Object.keys(provocations[name] ?? {}), name)
        for (const [status, asked] of Object.entries(provocations[name] ?? {})) {
          yield* isAsPromised(`${name} ${status}`, yield* ask(asked), status, responses)
        }
      }
    })
  )

  it.effect("names its parameters as they are taken, with limit as the number it is", () =>
    Effect.gen(function* () {
      const { paths } = yield* document
      const parameters = paths["/api/v1/tasks"]?.["get"]?.parameters ?? []
      assert.deepStrictEqual(
        parameters.map(({ name }) => name),
        ["status", "type", "tag", "q", "limit", "cursor"]
      )
      const { text } = yield* get("/openapi.json")
      assert.include(text, `"name":"limit","in":"query","schema":{"type":"integer","minimum":1,"maximum":500`)
    })
  )
})

const isAsPromised = (name: string, answer: Answer, status: string, responses: (typeof Operation.Type)["responses"]) =>
  Effect.sync(() => {
    assert.strictEqual(String(answer.status), status, name)
    const types = Object.keys(responses[status]?.content ?? {})
    assert.deepStrictEqual(
      answer.headers["content-type"] === undefined ? [] : [answer.headers["content-type"]],
      types,
      name
    )
  })

describe("The OpenAPI document", () => {
  for (const [status, orchestrator] of Object.entries(troubles)) {
    it.live(`promises ${status} wherever a service in trouble answers so`, () =>
      Effect.gen(function* () {
        const { paths } = yield* document
        for (const [route, methods] of Object.entries(paths)) {
          for (const [method, { responses }] of Object.entries(methods)) {
            const answer = yield* ask(successOf(`${method} ${route}`))
            if (status in responses) yield* isAsPromised(`${method} ${route}`, answer, status, responses)
            else assert.isBelow(answer.status, 500, `${method} ${route}`)
          }
        }
      }).pipe(Effect.provide(served({ orchestrator, others: others[status] ?? othersInTrouble(bug) })))
    )
  }
})

describe("The OpenAPI document of a service with keys", () => {
  const key = {
    id: "",
    name: "any",
    scope: "read",
    sha256: createHash("sha256").update("reader").digest("hex"),
    createdAt: 0,
    expiresAt: null
  } as const
  const locked = Layer.succeed(ApiKeys, { isLocked: () => true, find: () => key })

  it.live("promises 401 wherever it answers so to whoever has none", () =>
    Effect.gen(function* () {
      const { text } = yield* get("/openapi.json", { authorization: "Bearer reader" })
      const { paths } = yield* Schema.decodeUnknownEffect(Document)(text)
      for (const [route, methods] of Object.entries(paths)) {
        for (const [method, { responses }] of Object.entries(methods)) {
          const name = `${method} ${route}`
          const isLogin = name === "post /api/v1/session"
          const answer = yield* ask(
            isLogin ? { method: "POST", path: route, headers: json, body: `{"key":"x"}` } : successOf(name)
          )
          if ("401" in responses) yield* isAsPromised(name, answer, "401", responses)
          else assert.isBelow(answer.status, 300, name)
        }
      }
    }).pipe(Effect.provide(served().pipe(Layer.provide(locked))))
  )
})

describe("The OpenAPI document of a service with a limit of requests", () => {
  it.effect("promises 429 wherever it answers so to whoever asks too often", () =>
    Effect.gen(function* () {
      const { paths } = yield* document
      for (const [route, methods] of Object.entries(paths)) {
        for (const [method, { responses }] of Object.entries(methods)) {
          const name = `${method} ${route}`
          const answer = yield* ask(successOf(name))
          if ("429" in responses) yield* isAsPromised(name, answer, "429", responses)
          else assert.notStrictEqual(answer.status, 429, name)
        }
      }
    }).pipe(Effect.provide(served({ server: { requestsPerKey: 1 } })))
  )
})

layer(served(), { excludeTestServices: true })("The page to read the document", (it) => {
  it.effect("has everything in it: nothing is fetched from anywhere else", () =>
    Effect.gen(function* () {
      const { headers, status, text } = yield* get("/docs", { accept: "text/html,application/xhtml+xml,*/*;q=0.8" })
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-type"], "text/html; charset=utf-8")
      assert.strictEqual(headers["content-length"], String(Buffer.byteLength(text)))
      const scripts = [...text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)]
      const page = text.replaceAll(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, "")
      const styles = text.slice(text.indexOf("<style>"), text.indexOf("</style>"))
      assert.isBelow(page.length, 1000)
      assert.notMatch(page, /<(script|link|iframe|img|object|embed|base)\b|https?:/i)
      assert.notMatch(styles, /@import|url\(\s*["']?(https?:)?\/\//i)
      assert.include(text, `"/api/v1/tasks/{id}"`)
      assert.lengthOf(scripts, 2)
      for (const [, attributes = "", program = ""] of scripts) {
        assert.notMatch(attributes, /\bsrc\b/)
        // it would end early, or not at all, had it been put into the page carelessly
        if (attributes.includes("application/json")) assert.doesNotThrow(() => JSON.parse(program))
        else assert.doesNotThrow(() => new Script(program))
      }
    })
  )

  it.effect("may speak to this service alone, whatever a script in it wants", () =>
    Effect.gen(function* () {
      const { headers } = yield* get("/docs")
      const policy = Object.fromEntries(
        String(headers["content-security-policy"])
          .split("; ")
          .map((directive): [string, string] => [
            directive.slice(0, directive.indexOf(" ")),
            directive.slice(directive.indexOf(" ") + 1)
          ])
      )
      assert.strictEqual(policy["default-src"], "'none'")
      assert.strictEqual(policy["connect-src"], "'self'")
      assert.strictEqual(policy["form-action"], "'none'")
      assert.strictEqual(policy["frame-ancestors"], "'none'")
      for (const sources of Object.values(policy)) assert.notMatch(sources, /http|\*/)
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(headers["referrer-policy"], "no-referrer")
      assert.strictEqual(headers["x-frame-options"], "DENY")
    })
  )

  it.effect("comes again and again", () =>
    Effect.gen(function* () {
      const pages = yield* Effect.all([get("/docs"), get("/docs"), get("/docs")], { concurrency: "unbounded" })
      assert.lengthOf(new Set(pages.map(({ text }) => text)), 1)
    })
  )
})
