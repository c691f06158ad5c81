import { createHash } from "node:crypto"
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Duration, Effect, Schema, type Scope } from "effect"
import { inject } from "vitest"
import * as Postgres from "../../support/Postgres.ts"
import { type Answer, type Ask, client, type Unanswered } from "./Http.ts"
import { type Ended, type Event, Venom } from "./Venom.ts"
import { isFinal, submittedIn, type Task, taskOf, tasksOf } from "./Wire.ts"

/** What had to come did not come in time. */
export class TooLate extends Schema.TaggedError<TooLate>()("TooLate", { waitedFor: Schema.String }) {
  override get message() {
    return `Waited in vain for ${this.waitedFor}`
  }
}

const patience = Duration.seconds(60)

/** Asks until the answer is as it should be. */
export const until = <A, E, R>(
  waitedFor: string,
  ask: Effect.Effect<A, E, R>,
  holds: (answer: A) => boolean,
  within: Duration.Input = patience
): Effect.Effect<A, E | TooLate, R> =>
  Effect.gen(function* () {
    const begun = performance.now()
    for (;;) {
      const answer = yield* ask
      if (holds(answer)) return answer
      if (performance.now() - begun > Duration.toMillis(within)) {
        return yield* new TooLate({ waitedFor: `${waitedFor}; last: ${JSON.stringify(answer).slice(0, 1000)}` })
      }
      yield* Effect.sleep("20 millis")
    }
  })

/** A directory of its own, gone with the scope. */
export const directory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => realpath(await mkdtemp(join(tmpdir(), "venom-")))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

export type Settings = Readonly<Record<string, string>>

/** The program as a process, killed with the scope at the latest. */
export interface Process {
  readonly pid: number
  readonly log: () => ReadonlyArray<Event>
  readonly stderr: () => string
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** The first event whose message matches. */
  readonly heard: (message: RegExp) => Effect.Effect<Event, TooLate>
  readonly ended: Effect.Effect<Ended, TooLate>
  /** kill -9, and the process is gone. */
  readonly kill: Effect.Effect<void, TooLate>
  /** SIGTERM, and it ends in order. */
  readonly stop: Effect.Effect<Ended, TooLate>
}

const inTime = <A>(waitedFor: string, wait: () => Promise<A>): Effect.Effect<A, TooLate> =>
  Effect.timeoutOrElse(Effect.promise(wait), {
    duration: patience,
    orElse: () => Effect.fail(new TooLate({ waitedFor }))
  })

const postgresPort = process.env["VITEST"] === undefined ? undefined : inject("postgresPort")

/** Whether these tests keep tasks in PostgreSQL, and none in files. */
export const isOnPostgres = postgresPort !== undefined

/** The database that stands for a directory where tests run on PostgreSQL. */
export const databaseOf = (dataDir: string): Effect.Effect<string | undefined> =>
  postgresPort === undefined
    ? Effect.undefined
    : Postgres.databaseNamed(postgresPort, `t${createHash("sha256").update(dataDir).digest("hex").slice(0, 20)}`)

/** The settings of the store that these tests are to run on. */
export const storeOf = (dataDir: string): Effect.Effect<Settings> =>
  Effect.map(databaseOf(dataDir), (url): Settings =>
    url === undefined ? {} : { VENOM_STORE: "postgres", VENOM_DATABASE_URL: url, VENOM_LEASE: "1 second" }
  )

/** `venom serve` on a free port, with these `VENOM_` settings; it need not come up. */
export const launch = (
  dataDir: string,
  settings: Settings = {},
  within: ReadonlyArray<string> = []
): Effect.Effect<Process, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.map(
        storeOf(dataDir),
        (store) =>
          new Venom({ args: ["serve", "--port", "0", "--data-dir", dataDir], env: { ...store, ...settings }, within })
      ),
      (venom) =>
        Effect.promise(() => {
          venom.kill("SIGKILL")
          return venom.ended()
        })
    ),
    (venom) => {
      const signal = (name: NodeJS.Signals) => Effect.sync(() => venom.kill(name))
      const ended = inTime("the end of the process", () => venom.ended())
      return {
        pid: venom.child.pid ?? 0,
        log: () => venom.log,
        stderr: () => venom.stderr,
        signal,
        heard: (message) => inTime(`${message} in the log`, () => venom.heard(message)),
        ended,
        kill: Effect.asVoid(Effect.andThen(signal("SIGKILL"), ended)),
        stop: Effect.andThen(signal("SIGTERM"), ended)
      }
    }
  )

/** A service that is up, and a client of it. */
export interface Service extends Process {
  readonly url: string
  readonly ask: Ask
  readonly post: (body: Readonly<Record<string, unknown>>) => Effect.Effect<Answer, Unanswered>
  /** A task that is taken: its id. */
  readonly submit: (content: string, more?: Readonly<Record<string, unknown>>) => Effect.Effect<string, Unanswered>
  readonly get: (id: string) => Effect.Effect<Task, Unanswered>
  readonly list: Effect.Effect<ReadonlyArray<Task>, Unanswered>
  readonly ready: Effect.Effect<Answer, Unanswered>
  /** The task as soon as it has this status. */
  readonly reaches: (id: string, status: Task["status"]) => Effect.Effect<Task, Unanswered | TooLate>
  /** All tasks as soon as all are final. */
  readonly settled: Effect.Effect<ReadonlyArray<Task>, Unanswered | TooLate>
}

/** Its own scope ends only the client: the process is ended with the test, or by the test. */
export const serve = Effect.fnUntraced(function* (
  dataDir: string,
  settings: Settings = {},
  within: ReadonlyArray<string> = []
): Effect.fn.Return<Service, TooLate, Scope.Scope> {
  const process = yield* launch(dataDir, settings, within)
  const { url } = yield* process.heard(/^Venom .* serves/)
  return yield* clientOf(process, `${url}`)
})

const clientOf = Effect.fnUntraced(function* (process: Process, url: string) {
  const ask = yield* client(url)
  const post: Service["post"] = (body) =>
    ask({
      method: "POST",
      path: "/api/v1/tasks",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
  const get = (id: string) => Effect.flatMap(ask({ path: `/api/v1/tasks/${id}` }), taskOf)
  const list = Effect.flatMap(ask({ path: "/api/v1/tasks" }), tasksOf)
  const some = (status: Task["status"]) =>
    Effect.map(
      Effect.flatMap(ask({ path: `/api/v1/tasks?limit=1&status=${status}` }), tasksOf),
      (tasks) => tasks.length > 0
    )
  /** Cheap, and may be wrong when a task goes back while it is asked. */
  const seemSettled = Effect.gen(function* () {
    return !(yield* some("PENDING")) && !(yield* some("PROCESSING"))
  })
  const service: Service = {
    ...process,
    url,
    ask,
    post,
    submit: (content, more = {}) => Effect.flatMap(post({ content, ...more }), submittedIn),
    get,
    list,
    ready: ask({ path: "/health/ready" }),
    reaches: (id, status) => until(`${status} of ${id}`, get(id), (task) => task.status === status),
    settled: until(
      "all to be final",
      Effect.andThen(
        until("none to be under way", seemSettled, (settled) => settled),
        list
      ),
      (tasks) => tasks.every(isFinal)
    )
  }
  return service
})
