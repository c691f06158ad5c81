import { Schema } from "effect"

/** A request, down to its bytes. */
export interface Asked {
  readonly method: string
  readonly target: string
  readonly headers: ReadonlyArray<string>
  readonly body?: string | Uint8Array
}

/** Ids of the tasks of `Way.ts`, and some that it does not have. */
export const ids = {
  waiting: "0198c0de-0000-7000-8000-000000000001",
  finished: "0198c0de-0000-7000-8000-000000000002",
  unknown: "0198c0de-0000-7000-8000-00000000000f",
  unreadable: "0198c0de-0000-7000-8000-0000000000e1",
  defect: "0198c0de-0000-7000-8000-0000000000e2",
  late: "0198c0de-0000-7000-8000-0000000000e3"
} as const

/** Contents for which the engine of `Way.ts` has no task. */
export const refused = ["storage", "space", "full", "draining", "defect"] as const

export const tasks = "/api/v1/tasks"

export const submit: Asked = {
  method: "POST",
  target: tasks,
  headers: ["Host: localhost", "Content-Type: application/json"],
  body: `{"content":"a","run_at":"2999-01-01T00:00:00.000Z"}`
}
export const read: Asked = { method: "GET", target: `${tasks}/${ids.waiting}`, headers: ["Host: localhost"] }

const adding = (line: string) => (asked: Asked) => ({ ...asked, headers: [...asked.headers, line] })
const instead = (line: string) => (asked: Asked) => {
  const name = line.slice(0, line.indexOf(":") + 1).toLowerCase()
  return { ...asked, headers: [line, ...asked.headers.filter((other) => !other.toLowerCase().startsWith(name))] }
}
const without = (name: string) => (asked: Asked) => ({
  ...asked,
  headers: asked.headers.filter((line) => !line.toLowerCase().startsWith(`${name}:`))
})
const withMethod = (method: string) => (asked: Asked) => ({ ...asked, method })
const withTarget = (target: string) => (asked: Asked) => ({ ...asked, target })
const withBody = (body: string | Uint8Array) => (asked: Asked) => ({ ...asked, body })

const changes: ReadonlyArray<(asked: Asked) => Asked> = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(withMethod),
  ...Object.values(ids).map((id) => withTarget(`${tasks}/${id}`)),
  ...[
    tasks,
    `${tasks}?`,
    `${tasks}?x=1`,
    `${tasks}?limit=0`,
    `${tasks}/`,
    `${tasks}#x`,
    `/${tasks}`,
    `http://localhost${tasks}`,
    "/api/v1/Tasks",
    "/api/v1/%74asks",
    `${tasks}/17`,
    `${tasks}/${ids.waiting}?x=1`,
    `${tasks}/${ids.waiting}?`,
    `${tasks}/${ids.waiting}/`,
    `${tasks}/${ids.waiting}#x`,
    `${tasks}/%30${ids.waiting.slice(1)}`,
    `${tasks}/%zz`,
    `${tasks}/${ids.finished.toUpperCase()}`,
    `${tasks}/${ids.unknown.toUpperCase()}`,
    "/nope"
  ].map(withTarget),
  ...["host", "content-type"].map(without),
  ...[
    "Host: LOCALHOST:8000",
    "Host: 127.0.0.1",
    "Host: [::1]:1",
    "Host: example.org",
    "Host: ",
    "Content-Type: application/json; charset=utf-8",
    "Content-Type: APPLICATION/JSON",
    "Content-Type: application/json; charset=latin1",
    "Content-Type: text/plain",
    "Content-Type: "
  ].map(instead),
  ...[
    "Host: localhost",
    "Host: example.org",
    "Content-Type: text/plain",
    "Accept: */*",
    "accept: application/json",
    "Accept: text/html, application/json;q=0.1",
    "Accept: text/html",
    "Accept: application/json;q=0",
    "Accept: ",
    "Accept-Encoding: gzip, br",
    "Accept-Language: de",
    "User-Agent: curl/8.5.0",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-origin",
    "Origin: http://localhost",
    "Origin: http://example.org",
    "Origin: null",
    "Content-Encoding: gzip",
    "Content-Encoding: identity",
    `If-None-Match: W/"1"`,
    `If-None-Match: "7", "1"`,
    "If-None-Match: *",
    "If-None-Match: no",
    "Cookie: a=b",
    "Authorization: Bearer x",
    "Prefer: wait=1",
    "Idempotency-Key: 1",
    "Idempotency-Key: old",
    `Idempotency-Key: "a`,
    "X-Anything: at all",
    "Content-Length: 2",
    "Expect: 100-continue",
    "Expect: a miracle",
    "Upgrade: websocket",
    "Connection: upgrade",
    "__proto__: x"
  ].map(adding),
  ...refused.map((content) => withBody(JSON.stringify({ content }))),
  ...[
    "",
    " ",
    "{}",
    "null",
    "[]",
    "{",
    `{"content":1}`,
    `{"content":""}`,
    `{"content":"a","content":"b"}`,
    `{"content":"a","colour":"red"}`,
    `{"content":"a","__proto__":{}}`,
    `{"content":"a","priority":-3,"tags":["x"],"type":"mail","max_attempts":7}`,
    `{"content":"a","priority":101}`,
    `{"content":"a","delay":"1 second","timeout":5,"backoff":{"base":"1 second"},"unique_key":"u"}`,
    `{"content":"a","delay":"1 second","run_at":"2999-01-01T00:00:00.000Z"}`,
    `{"content":"a","concurrency_key":"","retention":"soon"}`,
    `{"copy_of":"${ids.waiting}"}`,
    `{"copy_of":"${ids.unknown}","content":"a","colour":"red"}`,
    `{"content":"a","tags":[""]}`,
    `{"content":"a","run_at":"soon"}`,
    `{"content":"a","run_at":"2030-01-01T00:00:00+01:00"}`,
    ` {"content" : "é\\ud800 €\u2028"} `,
    `{"content":"\ufffd"}`,
    `\ufeff{"content":"a"}`,
    JSON.stringify({ content: "x".repeat(5000) }),
    JSON.stringify({ content: "x".repeat(70_000) }),
    JSON.stringify({ content: "x".repeat(300_000) })
  ].map(withBody),
  withBody(Uint8Array.of(...Buffer.from(`{"content":"`), 0xff, ...Buffer.from(`"}`)))
]

/** What is plain, changed in a few ways, or in none. */
export const Almost = Schema.Struct({
  begins: Schema.Literals(["submit", "read"]),
  changes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: changes.length - 1 }))).check(
    Schema.isMaxLength(3)
  ),
  /** Where the bytes are cut into pieces that are sent one by one. */
  cuts: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 300 }))).check(Schema.isMaxLength(3))
})

export const of = (almost: typeof Almost.Type): Asked =>
  almost.changes.reduce<Asked>(
    (asked, index) => changes[index]?.(asked) ?? asked,
    almost.begins === "submit" ? submit : read
  )

/** On a connection that ends with the answer, unless it is told to stay. */
export const bytesOf = ({ body, headers, method, target }: Asked, last = true): Buffer => {
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers,
    ...(last ? ["Connection: close"] : []),
    ...(body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`])
  ]
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), Buffer.from(body ?? "")])
}

/** The bytes cut before each of these places. */
export const pieces = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}
