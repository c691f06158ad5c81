import { assert, describe, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { type Answer, ask, get, json, post, problemOf, served } from "./support.ts"

const path = (name: string) => `/api/v1/schedules/${encodeURIComponent(name)}`
const asJson = { "content-type": "application/json" }
const put = (name: string, body: unknown) =>
  ask({ method: "PUT", path: path(name), headers: asJson, body: JSON.stringify(body) })
const nightly = { cron: "0 3 * * *", time_zone: "Europe/Berlin", task: { content: "report" } }

const Told = Schema.fromJsonString(Schema.Struct({ name: Schema.String, next_run: Schema.NullOr(Schema.String) }))
const told = ({ text }: Answer) => Effect.orDie(Schema.decodeUnknownEffect(Told)(text))

layer(served(), { excludeTestServices: true })("A schedule", (it) => {
  it.effect("is made with 201 and replaced with 200, read, listed and deleted", () =>
    Effect.gen(function* () {
      const made = yield* put("nightly", nightly)
      assert.strictEqual(made.status, 201)
      const body = yield* json(made)
      assert.deepInclude(body, { name: "nightly", ...nightly, missed: "skip", paused: false, last_run: null })
      assert.match((yield* told(made)).next_run ?? "", /T0[12]:00:00\.000Z$/)
      const found = yield* get(path("nightly"))
      assert.deepStrictEqual([found.status, yield* json(found)], [200, body])
      assert.deepInclude(found.headers, { "cache-control": "no-store", "content-type": "application/json" })

      const replaced = yield* put("nightly", {
        every: 90_000,
        missed: "once",
        task: { content: "other", priority: -1 }
      })
      assert.strictEqual(replaced.status, 200)
      const now = yield* json(replaced)
      assert.deepInclude(now, { every: 90_000, missed: "once", task: { content: "other", priority: -1 } })
      assert.notProperty(now, "cron")
      yield* put("a", { ...nightly, paused: true })
      const list = yield* get("/api/v1/schedules")
      const all = yield* Effect.orDie(
        Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Schema.Unknown)))(list.text)
      )
      assert.deepStrictEqual(all.slice(1), [now])
      assert.deepInclude(all[0], { name: "a", paused: true, next_run: null })

      for (const name of ["a", "nightly"]) {
        const gone = yield* ask({ method: "DELETE", path: path(name) })
        assert.deepStrictEqual([gone.status, gone.text], [204, ""])
      }
      assert.strictEqual((yield* get("/api/v1/schedules")).text, "[]")
      const unknown = yield* problemOf(yield* get(path("nightly")))
      assert.deepInclude(unknown, {
        type: "urn:venom:problem:schedule-not-found",
        detail: "No schedule has the name nightly",
        schedule: "nightly"
      })
    })
  )

  it.effect("may have every name that a type of tasks may have", () =>
    Effect.gen(function* () {
      for (const name of ["a", "0", "reports/daily", "a:b_c-d.e", "x".repeat(128)]) {
        assert.strictEqual((yield* put(name, nightly)).status, 201, name)
        assert.strictEqual((yield* told(yield* get(path(name)))).name, name)
        assert.strictEqual((yield* ask({ method: "DELETE", path: path(name) })).status, 204)
      }
      for (const name of ["x".repeat(129), "-a", "a b", "ä", "a?b", "."]) {
        const { errors, status } = yield* problemOf(yield* put(name, nightly))
        assert.deepStrictEqual([status, errors?.map((error) => error.path)], [400, ["name"]], name)
      }
    })
  )

  const wrong: ReadonlyArray<readonly [string, unknown, Readonly<Record<string, string>>]> = [
    ["neither cron nor every", { task: nightly.task }, { cron: "Expected cron or every" }],
    ["both", { ...nightly, every: 1000 }, { every: "Expected cron or every, not both" }],
    [
      "a zone without cron",
      { every: 1000, time_zone: "UTC", task: nightly.task },
      { time_zone: "Expected only with cron" }
    ],
    [
      "an expression that is none",
      { ...nightly, cron: "every day" },
      {
        cron: "Expected 5 fields (minute hour day month weekday), or 6 with the second first; there are 2"
      }
    ],
    [
      "an empty one",
      { ...nightly, cron: " " },
      { cron: "Expected 5 fields (minute hour day month weekday), or 6 with the second first; there are 0" }
    ],
    ["a wrong field", { ...nightly, cron: "0 24 * * *" }, { cron: `The hour "24": Expected a value between 0 and 23` }],
    [
      "a wrong second",
      { ...nightly, cron: "60 0 0 * * *" },
      { cron: `The second "60": Expected a value between 0 and 59` }
    ],
    ["a day that never comes", { ...nightly, cron: "0 0 31 4 *" }, { cron: "There is no such day" }],
    [
      "an unknown zone",
      { ...nightly, time_zone: "Mars/Phobos" },
      { time_zone: "Expected the name of a time zone, such as Europe/Berlin or UTC" }
    ],
    [
      "times in the task",
      { ...nightly, task: { content: "x", run_at: "2030-01-01T00:00:00Z" } },
      { "task.run_at": "Unknown field" }
    ],
    ["a task without content", { ...nightly, task: {} }, { "task.content": "Missing" }],
    ["no task", { cron: "* * * * *" }, { task: "Missing" }],
    ["another field", { ...nightly, timezone: "UTC" }, { timezone: "Unknown field" }],
    [
      "several at once",
      { ...nightly, cron: "x", missed: "all", paused: 1, task: { content: "x", priority: 101 } },
      {
        cron: "Expected 5 fields (minute hour day month weekday), or 6 with the second first; there are 1",
        missed: `Expected "skip" | "once"`,
        paused: "Expected boolean",
        "task.priority": "Expected a value between -100 and 100"
      }
    ]
  ]
  for (const [what, body, expected] of wrong) {
    it.effect(`is refused with ${what}, which is named`, () =>
      Effect.gen(function* () {
        const { errors = [], status } = yield* problemOf(yield* put("wrong", body))
        assert.strictEqual(status, 400)
        assert.deepStrictEqual(Object.fromEntries(errors.map(({ message, path }) => [path, message])), expected)
        assert.strictEqual((yield* get(path("wrong"))).status, 404)
      })
    )
  }

  it.effect("too often, or hardly ever, is refused too", () =>
    Effect.gen(function* () {
      for (const every of [999, 0, -1, "0 seconds", "11 years", "Infinity", "soon", true, null]) {
        const { errors } = yield* problemOf(yield* put("wrong", { every, task: nightly.task }))
        assert.deepStrictEqual(
          errors?.map(({ path }) => path),
          ["every"],
          `${every}`
        )
      }
    })
  )

  it.effect("with a content that is too large is 413", () =>
    Effect.gen(function* () {
      const answer = yield* put("large", { ...nightly, task: { content: "x".repeat(1024 * 1024 + 1) } })
      assert.strictEqual((yield* problemOf(answer)).status, 413)
    })
  )

  it.effect("that is no JSON, or no object, is 400", () =>
    Effect.gen(function* () {
      for (const body of ["", "{", "[]", "1", "null", `"x"`, "\u00ff"]) {
        const answer = yield* ask({ method: "PUT", path: path("wrong"), headers: asJson, body })
        assert.strictEqual((yield* problemOf(answer)).status, 400, body)
      }
    })
  )

  it.effect("does not know other methods, or parameters", () =>
    Effect.gen(function* () {
      const answer = yield* ask({ method: "POST", path: path("a"), headers: asJson, body: "{}" })
      assert.deepStrictEqual([answer.status, answer.headers.allow], [405, "GET, DELETE, PUT, HEAD"])
      for (const where of ["/api/v1/schedules?limit=1", `${path("a")}?x=1`]) {
        assert.strictEqual((yield* problemOf(yield* get(where))).status, 400)
      }
    })
  )
})

describe("A schedule of every second", () => {
  layer(served(), { excludeTestServices: true })((it) => {
    it.effect("shows its last run, which is a task like others", () =>
      Effect.gen(function* () {
        assert.strictEqual(
          (yield* put("often", { every: "1 second", task: { content: "tick", tags: ["t"] } })).status,
          201
        )
        const Ran = Schema.fromJsonString(
          Schema.Struct({ last_run: Schema.NullOr(Schema.Struct({ slot: Schema.String, task_id: Schema.String })) })
        )
        const lastRun = Effect.flatMap(get(path("often")), ({ text }) => Schema.decodeUnknownEffect(Ran)(text))
        let { last_run } = yield* lastRun
        while (last_run === null) ({ last_run } = yield* lastRun)
        const task = yield* json(yield* get(`/api/v1/tasks/${last_run.task_id}`))
        assert.deepInclude(task, { content: "tick", tags: ["t"], run_at: last_run.slot })
        assert.strictEqual((yield* post(`{"content":"beside"}`)).status, 201)
      })
    )
  })
})
