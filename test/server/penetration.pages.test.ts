import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { HttpApi } from "effect/http-api"
import { VenomApi } from "../../src/api/VenomApi.ts"
import { pages } from "../../src/server/Routes.ts"
import { allRefused, allRefusedRaw, inVain, json, posting, refused, tasks, unknownTask } from "./attacks.ts"
import {
  type Answer,
  answerOf,
  ask,
  get,
  open,
  port,
  post,
  problemOf,
  raw,
  served,
  submit,
  submitted
} from "./support.ts"

/** On every answer: none is guessed at, kept, framed, or given to a page of another origin. */
const always = {
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
}

const isGuarded = ({ headers, status }: Answer, what: string) => {
  for (const [name, value] of Object.entries(always)) assert.strictEqual(headers[name], value, `${what}: ${name}`)
  const policy = String(headers["content-security-policy"])
  assert.match(policy, /^default-src 'none';.*frame-ancestors 'none'/, what)
  assert.notMatch(policy, /script-src[^;]*('unsafe|http|\*)/, what)
  assert.isEmpty(
    Object.keys(headers).filter((name) => name.startsWith("access-control")),
    what
  )
  if (status !== 204 && status !== 304) assert.isDefined(headers["content-type"], what)
}

const routes: Array<readonly [method: string, path: string]> = Object.keys(pages).map((path) => ["GET", path])
HttpApi.reflect(VenomApi, {
  onGroup: () => {},
  onEndpoint: ({ endpoint }) =>
    void routes.push([
      endpoint.method,
      endpoint.path.replace(":id", unknownTask.split("/").at(-1) ?? "").replace(":name", "x")
    ])
})

layer(served(), { excludeTestServices: true })("Every answer of every route", (it) => {
  it.effect("says that it is what it is, for this one time and for nobody else", () =>
    Effect.gen(function* () {
      assert.isAbove(routes.length, 25)
      for (const [method, path] of routes) {
        if (path === "/api/v1/events") continue
        for (const body of [undefined, "{}", "{"]) {
          const asked = body === undefined ? {} : { body, headers: json }
          isGuarded(yield* ask({ method, path, ...asked }), `${method} ${path}`)
        }
        isGuarded(yield* get(path, { host: "evil.example" }), `${path} elsewhere`)
        isGuarded(yield* ask({ method: "PATCH", path }), `PATCH ${path}`)
      }
      const { task_id } = yield* submitted((yield* submit({ content: "a", delay: "1 hour" })).text)
      const { headers } = yield* get(`${tasks}/${task_id}`)
      isGuarded(yield* get(`${tasks}/${task_id}`, { "if-none-match": String(headers["etag"]) }), "304")
      isGuarded(yield* get(`${tasks}?limit=1`), "a page")
      isGuarded(yield* post(`{"content":"b"}`), "a submit")
      isGuarded(yield* ask({ method: "POST", path: `${tasks}/${task_id}/cancel` }), "a cancel")
      isGuarded(yield* ask({ method: "DELETE", path: `${tasks}/${task_id}` }), "204")
    })
  )

  it.effect("also where no route is, and where it never became a request", () =>
    Effect.gen(function* () {
      for (const path of ["/assets/nope.js", "/nope", "/favicon.ico", "/%00", "//nope", "/.."])
        isGuarded(yield* get(path), path)
      const bytes = ["garbage\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", `GET /${"x".repeat(40_000)}`]
      for (const text of bytes) isGuarded(answerOf(yield* raw(text)), text.slice(0, 20))
    })
  )

  it.effect("also of a stream", () =>
    Effect.gen(function* () {
      const socket = yield* open
      const head = yield* Effect.callback<string>((resume) => {
        let text = ""
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString("latin1")
          if (text.includes("\r\n\r\n")) resume(Effect.succeed(text))
        })
        socket.write("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      })
      isGuarded(answerOf(head), "events")
      assert.strictEqual(answerOf(head).headers["content-type"], "text/event-stream")
    }).pipe(Effect.scoped)
  )
})

const forms = [
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/plain",
  "text/plain; application/json",
  "application/json, text/plain",
  "text/plain;charset=UTF-8",
  ""
]

layer(served({ server: { allowedHosts: ["queue.example.org"] } }), { excludeTestServices: true })(
  "A page of another site",
  (it) => {
    it.effect("posts no form, whatever it names as its media type", () =>
      Effect.gen(function* () {
        const own = `http://127.0.0.1:${yield* port}`
        yield* allRefused(
          forms.flatMap((type) => [
            [`a form of ${type}`, posting(`{"content":"a"}`, { "content-type": type }), 415],
            // even if the browser were to say that the page is ours
            [`ours, ${type}`, posting(`{"content":"a"}`, { "content-type": type, origin: own }), 415],
            [
              `foreign, ${type}`,
              posting(`{"content":"a"}`, { "content-type": type, origin: "http://evil.example" }),
              403
            ]
          ])
        )
      })
    )

    it.effect("pauses, cancels and deletes nothing: these need no body, and have an origin", () => {
      const writes = [
        ["POST", "/api/v1/queue/pause"],
        ["POST", `${unknownTask}/cancel`],
        ["POST", `${tasks}/actions/delete`],
        ["DELETE", unknownTask],
        ["DELETE", "/api/v1/schedules/x"],
        ["POST", "/api/v1/session"],
        ["DELETE", "/api/v1/session"]
      ] as const
      const foreign = [
        { origin: "http://evil.example" },
        { origin: "null" },
        { origin: "http://localhost:3000" },
        { "sec-fetch-site": "cross-site" }
      ]
      return allRefused(
        writes.flatMap(([method, path]) =>
          foreign.map(
            (headers) => [`${method} ${path} ${JSON.stringify(headers)}`, { method, path, headers }, 403] as const
          )
        )
      )
    })

    it.effect("changes nothing by a GET: an image, a link, a prefetch", () =>
      inVain(
        Effect.forEach(
          ["/api/v1/queue/pause", `${unknownTask}/cancel`, `${tasks}/bulk`, `${tasks}/actions/cancel`],
          (path) => Effect.flatMap(get(path), (answer) => refused(answer, path))
        )
      )
    )

    it.effect("reads nothing under a name that it has bound to this address", () =>
      Effect.gen(function* () {
        const at = yield* port
        const hosts = [
          `evil.example:${at}`,
          `127.0.0.1.evil.example:${at}`,
          "queue.example.org.evil.example",
          `0:${at}`,
          "0x7f.1"
        ]
        yield* allRefused(
          hosts.flatMap((host) =>
            routes
              .filter(([, path]) => !path.startsWith("/health/"))
              .map(([method, path]) => [`${method} ${path} ${host}`, { method, path, headers: { host } }, 403] as const)
          )
        )
        yield* allRefused([
          ["forwarded", { path: tasks, headers: { host: "evil.example", "x-forwarded-host": "localhost" } }, 403],
          ["forwarded, anew", { path: tasks, headers: { host: "evil.example", forwarded: "host=localhost" } }, 403]
        ])
        yield* allRefusedRaw([
          [
            "in the target",
            `GET http://evil.example/api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
            403
          ],
          [
            "with a user",
            `GET http://localhost@evil.example/api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
            403
          ],
          ["without a host", `GET /api/v1/tasks HTTP/1.0\r\nConnection: close\r\n\r\n`, 400]
        ])
      })
    )
  }
)

const markup = [
  `<img src=x onerror=alert(1)>`,
  `<script>alert(1)</script>`,
  `</script><script>alert(1)</script>`,
  `"><svg onload=alert(1)>`,
  `javascript:alert(1)`,
  `{{constructor.constructor('alert(1)')()}}`,
  `<!--`,
  `]]>`,
  `\u2028alert(1)`,
  `data: x\n\nevent: status\ndata: forged\n\n`
]

layer(served(), { excludeTestServices: true })("Markup", (it) => {
  it.effect("in a task is text, in every answer that has it", () =>
    Effect.gen(function* () {
      const pages = ["/docs", "/openapi.json", "/nope"]
      const before = yield* Effect.forEach(pages, (path) => get(path))
      for (const text of markup) {
        const more = { tags: [text.slice(0, 100)], concurrency_key: text, unique_key: text, delay: "1 hour" }
        const { task_id } = yield* submitted((yield* submit({ content: text, ...more })).text)
        const answers = [
          yield* get(`${tasks}/${task_id}`),
          yield* get(`${tasks}/${task_id}/why`),
          yield* get(`${tasks}?limit=1&q=${encodeURIComponent(text)}`),
          yield* get(tasks),
          yield* get("/api/v1/queue")
        ]
        for (const answer of answers) {
          assert.strictEqual(answer.status, 200)
          assert.strictEqual(answer.headers["content-type"], "application/json")
          isGuarded(answer, text)
        }
        assert.strictEqual(JSON.parse(answers[0]?.text ?? "").content, text)
        assert.notInclude((yield* get("/metrics")).text, text)
      }
      const after = yield* Effect.forEach(pages, (path) => get(path))
      assert.deepStrictEqual(
        after.map(({ text }) => text),
        before.map(({ text }) => text)
      )
    })
  )

  it.effect("in a request comes back in no page, and in no header", () =>
    Effect.gen(function* () {
      const docs = (yield* get("/docs")).text
      for (const text of markup) {
        const there = encodeURIComponent(text)
        for (const path of [`/${there}`, `${tasks}/${there}`, `${tasks}?${there}=${there}`, `/docs?x=${there}`]) {
          const answer = yield* get(path, { accept: "text/html,*/*" })
          if (path.startsWith("/docs")) assert.strictEqual(answer.text, docs)
          else yield* problemOf(answer)
          for (const value of Object.values(answer.headers)) assert.notInclude(String(value), text)
        }
        const answer = yield* post(JSON.stringify({ [text]: text }))
        assert.strictEqual((yield* problemOf(answer)).status, 400)
      }
    })
  )

  it.effect("in the links of a page stays within its parameter", () =>
    Effect.gen(function* () {
      for (let count = 0; count < 3; count++) yield* submit({ content: `<a>"; rel="x` })
      const { headers } = yield* get(`${tasks}?limit=1&q=${encodeURIComponent(`<a>"; rel="x`)}`)
      assert.match(String(headers["link"]), /^<[^<>"\s]+>; rel="next"$/)
    })
  )

  it.effect("in an event cannot begin another one", () =>
    Effect.gen(function* () {
      const { task_id } = yield* submitted(
        (yield* submit({ content: "a", delay: "1 hour", tags: ["x\n\nevent: forged"] })).text
      )
      yield* ask({ method: "POST", path: `${tasks}/${task_id}/cancel` })
      const stream = yield* get(`${tasks}/${task_id}/events`)
      assert.notMatch(stream.text, /^event: forged/m)
      for (const line of stream.text.split("\n")) assert.match(line, /^(|:.*|(id|event|data|retry): .*)$/)
    })
  )
})
