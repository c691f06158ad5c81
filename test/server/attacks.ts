import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { type Answer, answerOf, ask, type Asked, get, problemOf, raw } from "./support.ts"

export const json = { "content-type": "application/json" }
export const tasks = "/api/v1/tasks"
export const unknownTask = `${tasks}/0198c0de-0000-7000-8000-00000000ffff`

/** A submit of this body. */
export const posting = (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Asked => ({
  method: "POST",
  path: tasks,
  headers: { ...json, ...headers },
  body
})

type Headers = Readonly<Record<string, string>>

/** Everything that a request may change. */
const state = (headers: Headers) =>
  Effect.forEach([tasks, "/api/v1/schedules", "/api/v1/queue", "/api/v1/queue/limits", "/api/v1/types"], (path) =>
    Effect.map(get(path, headers), ({ status, text }) => {
      assert.strictEqual(status, 200, path)
      return `${path} ${text}`
    })
  )

/** After all of it nothing has changed, and the service is as ready as before. */
export const inVain = <A, E, R>(attack: Effect.Effect<A, E, R>, headers: Headers = {}) =>
  Effect.gen(function* () {
    const before = yield* state(headers)
    const outcome = yield* attack
    assert.deepStrictEqual(yield* state(headers), before)
    assert.strictEqual((yield* get("/health/ready")).status, 200)
    return outcome
  })

/** Answered with a problem document that says whose fault it is, and tells nothing from inside. */
export const refused = (answer: Answer, what: string, statuses?: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    if (statuses === undefined) assert.isTrue(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status}`)
    else assert.include(statuses, answer.status, `${what}: ${answer.text.slice(0, 300)}`)
    assert.notMatch(answer.text, /\\n +at |node_modules|\.ts:\d/, what)
    return yield* problemOf(answer)
  })

type Row = readonly [what: string, asked: Asked, status?: number]

/** Each is refused, and all of them are in vain. */
export const allRefused = (rows: ReadonlyArray<Row>, headers: Headers = {}) =>
  inVain(
    Effect.forEach(rows, ([what, asked, status]) =>
      Effect.flatMap(ask({ ...asked, headers: { ...headers, ...asked.headers } }), (answer) =>
        refused(answer, what, status === undefined ? undefined : [status])
      )
    ),
    headers
  )

type RawRow = readonly [what: string, bytes: string | Uint8Array, status?: number]

/** The same of bytes, where the connection may be closed without a word only if there is nobody to tell. */
export const allRefusedRaw = (rows: ReadonlyArray<RawRow>) =>
  inVain(
    Effect.forEach(rows, ([what, bytes, status]) =>
      Effect.flatMap(raw(bytes), (text) => refused(answerOf(text), what, status === undefined ? undefined : [status]))
    )
  )

/** `n` levels of nesting. */
export const deep = (n: number) => "[".repeat(n) + "]".repeat(n)
