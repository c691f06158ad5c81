import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { answerOf, ask, get, port, post, problemOf, raw, served } from "./support.ts"

const withHost = (host: string, path = "/api/v1/tasks") => get(path, { host })

layer(served({ server: { allowedHosts: ["queue.example.org", "fd00::1"] } }), { excludeTestServices: true })(
  "A page of another origin",
  (it) => {
    const good = [
      "localhost",
      "LOCALHOST:1",
      "localhost.",
      "127.0.0.1",
      "127.0.0.1:8000",
      "[::1]",
      "[::1]:8000",
      "queue.example.org",
      "Queue.Example.Org:443",
      "[fd00::1]:8000"
    ]
    for (const host of good) {
      it.effect(`is none of ours: ${host} is`, () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* withHost(host)).status, 200)
        })
      )
    }

    const bad = [
      "evil.example.org",
      "evil.example.org:8000",
      "localhost.evil.example.org",
      "127.0.0.1.evil.example.org",
      "evil.example.org@localhost",
      "localhost@evil.example.org",
      "127.0.0.2",
      "[::2]",
      "0.0.0.0",
      "localhost:8000:1",
      "localhost, evil.example.org"
    ]
    for (const host of bad) {
      it.effect(`cannot read or write under a name that was bound to this address: ${host}`, () =>
        Effect.gen(function* () {
          for (const path of ["/api/v1/tasks", "/openapi.json", "/docs", "/nope"]) {
            const answer = yield* withHost(host, path)
            assert.strictEqual(answer.status, 403, path)
            yield* problemOf(answer)
          }
          assert.strictEqual((yield* post(`{"content":"a"}`, { host })).status, 403)
          assert.strictEqual((yield* withHost(host, "/health/live")).status, 200)
          assert.strictEqual((yield* withHost(host, "/health/ready?probe=1")).status, 200)
          for (const path of [
            "/health/other",
            "//health/live/../../api/v1/tasks",
            "/api/v1/tasks?/health/live",
            "/api/v1/tasks#/health/live"
          ]) {
            assert.strictEqual((yield* withHost(host, path)).status, 403, path)
          }
        })
      )
    }

    it.effect("is told of its host by the target too, when that is a whole URL", () =>
      Effect.gen(function* () {
        const foreign = yield* raw(
          "GET http://evil.example.org/api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert.strictEqual(answerOf(foreign).status, 403)
        const own = yield* raw(
          "GET http://localhost/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert.strictEqual(answerOf(own).status, 200)
      })
    )

    it.effect("cannot leave its host out or empty", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          answerOf(yield* raw("GET /docs HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n")).status,
          403
        )
        for (const version of ["1.1", "1.0"]) {
          const answer = answerOf(yield* raw(`GET /api/v1/tasks HTTP/${version}\r\nConnection: close\r\n\r\n`))
          assert.strictEqual(answer.status, 400, version)
          yield* problemOf(answer)
          const health = answerOf(yield* raw(`GET /health/live HTTP/${version}\r\nConnection: close\r\n\r\n`))
          assert.strictEqual(health.status, 200, version)
        }
      })
    )

    it.effect("cannot write", () =>
      Effect.gen(function* () {
        const own = `127.0.0.1:${yield* port}`
        const foreign: ReadonlyArray<Readonly<Record<string, string>>> = [
          { origin: "https://evil.example.org" },
          { origin: "null" },
          { origin: "" },
          { origin: "http://127.0.0.1:1" },
          { origin: "http://localhost" },
          { origin: `http://${own}.evil.example.org` },
          { origin: `http://evil.example.org/${own}` },
          { origin: `chrome-extension://${own}` },
          { "sec-fetch-site": "cross-site" },
          { origin: `http://${own}`, "sec-fetch-site": "cross-site" }
        ]
        for (const headers of foreign) {
          const answer = yield* post(`{"content":"a"}`, headers)
          assert.strictEqual(answer.status, 403, JSON.stringify(headers))
          yield* problemOf(answer)
        }
        // a preflight gets nothing that a browser would take for a permission
        const preflight = yield* ask({
          method: "OPTIONS",
          path: "/api/v1/tasks",
          headers: { origin: "https://evil.example.org", "access-control-request-method": "POST" }
        })
        assert.strictEqual(preflight.status, 405)
        assert.isEmpty(Object.keys(preflight.headers).filter((name) => name.startsWith("access-control")))
      })
    )

    it.effect("is not one of our own pages, nor a program", () =>
      Effect.gen(function* () {
        const own = `127.0.0.1:${yield* port}`
        const headers: ReadonlyArray<Readonly<Record<string, string>>> = [
          {},
          { origin: `http://${own}` },
          { origin: `http://${own}`, "sec-fetch-site": "same-origin" },
          { "sec-fetch-site": "none" },
          { host: "queue.example.org", origin: "https://queue.example.org" }
        ]
        for (const own of headers) {
          assert.strictEqual((yield* post(`{"content":"a"}`, own)).status, 201, JSON.stringify(own))
        }
      })
    )
  }
)

layer(served({ server: { host: "127.0.0.2" } }), { excludeTestServices: true })(
  "The host that is listened on",
  (it) => {
    it.effect("may be named", () =>
      Effect.gen(function* () {
        const at = yield* port
        const answer = yield* Effect.promise(() => fetch(`http://127.0.0.2:${at}/api/v1/tasks`))
        assert.strictEqual(answer.status, 200)
      })
    )
  }
)
