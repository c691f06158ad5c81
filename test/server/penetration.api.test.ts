import { createHash } from "node:crypto"
import process from "node:process"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpApi } from "effect/http-api"
import { VenomApi } from "../../src/api/VenomApi.ts"
import { text } from "../../src/domain/ApiKey.ts"
import { ApiKeys } from "../../src/ports/ApiKeys.ts"
import { pages } from "../../src/server/Routes.ts"
import { allRefused, json, posting, tasks } from "./attacks.ts"
import { ask, echoRunner, get, served, submit, submitted } from "./support.ts"

/** Fields of a task that nobody may set. */
const ofVenom = {
  id: "0198c0de-0000-7000-8000-00000000ffff",
  task_id: "0198c0de-0000-7000-8000-00000000ffff",
  status: "COMPLETED",
  result: "forged",
  failure: null,
  attempt: 3,
  attempts: [],
  logs: ["forged"],
  logs_dropped: 0,
  created_at: "2026-01-01T00:00:00.000Z",
  updated_at: "2026-01-01T00:00:00.000Z",
  started_at: null,
  finished_at: "2026-01-01T00:00:00.000Z",
  progress: { percent: 100, message: null },
  callback: { state: "delivered" },
  revision: 9,
  scope: "admin",
  key: "x"
}

layer(served(), { excludeTestServices: true })("What a client may set of a task (API3)", (it) => {
  it.effect("is what the contract names, by a submit, a copy, in a bulk and in a schedule", () =>
    Effect.gen(function* () {
      const first = yield* submitted((yield* submit({ content: "a", delay: "1 hour" })).text)
      yield* allRefused(
        Object.entries(ofVenom).flatMap(([name, value]) => {
          const task = { content: "b", [name]: value }
          const schedule = JSON.stringify({ every: "1 hour", task })
          return [
            [`submit ${name}`, posting(JSON.stringify(task)), 400] as const,
            [`copy ${name}`, posting(JSON.stringify({ copy_of: first.task_id, [name]: value })), 400] as const,
            [`bulk ${name}`, { ...posting(JSON.stringify({ tasks: [task] })), path: `${tasks}/bulk` }, 400] as const,
            [`schedule ${name}`, { ...posting(schedule), method: "PUT", path: "/api/v1/schedules/x" }, 400] as const
          ]
        })
      )
    })
  )
})

const secret = text("adminadminad", "the-secret-part-of-a-key-that-nobody-may-see")
const sha256 = createHash("sha256").update(secret).digest("hex")
const keys = Layer.succeed(ApiKeys, {
  isLocked: () => true,
  find: (id) =>
    id === "adminadminad"
      ? { id, name: "the operator", scope: "admin" as const, sha256, createdAt: 0, expiresAt: null }
      : undefined
})

const paths: Array<string> = []
HttpApi.reflect(VenomApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint: { method, path } }) => {
    if (method === "GET" && !path.includes(":") && path !== "/api/v1/events") paths.push(path)
  }
})

describe("What a service tells (API3, API8)", () => {
  it.live("has no key in it, no path of this machine, and nothing of what it is made of", () =>
    Effect.gen(function* () {
      const headers = { authorization: `Bearer ${secret}` }
      yield* ask({ ...posting(`{"content":"a"}`, headers) })
      const session = { method: "POST", path: "/api/v1/session", headers: json, body: JSON.stringify({ key: secret }) }
      const answers = [yield* ask(session)]
      for (const path of [...paths, ...Object.keys(pages), "/nope"]) answers.push(yield* get(path, headers))
      for (const answer of answers) {
        const told = `${JSON.stringify(answer.headers)} ${answer.text}`
        for (const part of [secret, secret.slice(-20), sha256, "the operator", process.cwd(), "node_modules/"]) {
          assert.notInclude(told, part)
        }
        assert.isEmpty(Object.keys(answer.headers).filter((name) => /^(server|x-powered-by|via|x-runtime)$/.test(name)))
      }
    }).pipe(Effect.provide(served({ runner: echoRunner }).pipe(Layer.provide(keys))))
  )
})

layer(served(), { excludeTestServices: true })("What is there (API9)", (it) => {
  it.effect("stands in the OpenAPI document, every route of it", () =>
    Effect.gen(function* () {
      const { paths: documented } = JSON.parse((yield* get("/openapi.json")).text)
      const known: Array<string> = []
      HttpApi.reflect(VenomApi, {
        onGroup: () => {},
        onEndpoint: ({ endpoint: { method, path } }) =>
          void known.push(`${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`)
      })
      const told = Object.entries(documented).flatMap(([path, operations]) =>
        Object.keys(Object(operations)).map((method) => `${method.toUpperCase()} ${path}`)
      )
      assert.sameMembers(told, known)
    })
  )

  it.effect("is nothing else: no old version, no way in for debugging", () =>
    allRefused(
      [
        "/api",
        "/api/v1",
        "/api/v0/tasks",
        "/api/v2/tasks",
        "/v1/tasks",
        "/tasks",
        "/admin",
        "/debug",
        "/debug/pprof",
        "/json/version",
        "/actuator",
        "/actuator/env",
        "/graphql",
        "/swagger.json",
        "/config",
        "/env",
        "/status",
        "/server-status",
        "/console",
        "/shutdown",
        "/api/v1/keys",
        "/api/v1/settings",
        "/api/v1/admin",
        "/wp-login.php",
        "/cgi-bin/sh",
        "/.well-known/security.txt",
        "/xmlrpc.php"
      ].map((path) => [path, { path }, 404] as const)
    )
  )
})

layer(served(), { excludeTestServices: true })("The OpenAPI document (API2)", (it) => {
  it.effect("says of each operation which scope it needs, and how one proves to have it", () =>
    Effect.gen(function* () {
      const { components, paths: documented } = JSON.parse((yield* get("/openapi.json")).text)
      assert.deepInclude(components.securitySchemes.bearer, { type: "http", scheme: "bearer" })
      assert.deepInclude(components.securitySchemes.session, { type: "apiKey", in: "cookie", name: "venom_session" })
      const needs = (method: string, path: string) => documented[path][method].security
      const of = (scope: string) => [{ bearer: [scope] }, { session: [scope] }]
      assert.deepStrictEqual(needs("get", tasks), of("read"))
      assert.deepStrictEqual(needs("get", "/api/v1/events"), of("read"))
      assert.deepStrictEqual(needs("post", tasks), of("write"))
      assert.deepStrictEqual(needs("delete", `${tasks}/{id}`), of("write"))
      assert.deepStrictEqual(needs("post", "/api/v1/queue/pause"), of("admin"))
      assert.deepStrictEqual(needs("put", "/api/v1/schedules/{name}"), of("admin"))
      assert.deepStrictEqual(needs("get", "/health/ready"), [])
      assert.deepStrictEqual(needs("post", "/api/v1/session"), [])
      for (const operations of Object.values(documented)) {
        for (const operation of Object.values(Object(operations))) assert.property(operation, "security")
      }
    })
  )
})
