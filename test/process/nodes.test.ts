import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { join } from "node:path"
import { eventsOf, openStreamAt } from "../server/sse.ts"
import * as Cluster from "./support/Cluster.ts"
import { read, write, untilThere } from "./support/Files.ts"
import { directory, type Service, until } from "./support/Service.ts"
import { problemIn, type Task } from "./support/Wire.ts"

const fast = { VENOM_SIMULATED_DURATION: "20 millis", VENOM_LEASE: "2 seconds" }
const forever = { VENOM_SIMULATED_DURATION: "1 hour", VENOM_LEASE: "2 seconds" }
const lease = 2000

const post = (node: Service, path: string, body = "") =>
  node.ask({ method: "POST", path: `/api/v1${path}`, headers: { "content-type": "application/json" }, body })

const Node = Schema.Struct({
  name: Schema.String,
  alive: Schema.Boolean,
  leads: Schema.Boolean,
  running: Schema.Int,
  concurrency: Schema.Int
})
const decodeNodes = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Node)))
const nodesOf = (node: Service) => Effect.map(node.ask({ path: "/api/v1/nodes" }), ({ text }) => decodeNodes(text))

const stream = (node: Service, path: string, headers: Readonly<Record<string, string>> = {}) =>
  openStreamAt(Number(new URL(node.url).port), `/api/v1${path}`, headers)

const crashesOf = ({ attempts }: Task) => attempts.filter(({ outcome }) => outcome === "crashed").length

describe("whichever node is asked", () => {
  it.live("a task is there, is waited for, told of, and why; nothing is told twice or missed between nodes", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make({ ...fast, VENOM_SIMULATED_DURATION: "300 millis" })
      const [a, b] = yield* Effect.all([cluster.node("a"), cluster.node("b")], { concurrency: 2 })
      const id = yield* a.submit("hello")
      const { until: read } = yield* stream(b, `/tasks/${id}/events`)
      const told = eventsOf(yield* read((text) => text.includes("COMPLETED")))
      const statuses = told.filter(({ event }) => event === "status").map(({ data }) => data["status"])
      assert.strictEqual(statuses.at(-1), "COMPLETED")
      assert.strictEqual(new Set(statuses).size, statuses.length)

      const next = yield* a.submit("again")
      const waited = yield* b.ask({ path: `/api/v1/tasks/${next}`, headers: { prefer: "wait=30" } })
      assert.include(waited.text, `"status":"COMPLETED"`)
      assert.include((yield* b.ask({ path: `/api/v1/tasks/${next}/why` })).text, "completed by attempt 1")

      // gone on with at the other node, and at one that has only come
      const first = yield* stream(a, "/events")
      const seen = yield* a.submit("one")
      const before = eventsOf(yield* first.until((text) => text.includes(seen) && text.includes("COMPLETED")))
      const last = before.find(({ data }) => data["task_id"] === seen)?.id ?? ""
      const c = yield* cluster.node("c")
      for (const node of [b, c]) {
        const again = yield* stream(node, "/events", { "last-event-id": last })
        const after = eventsOf(yield* again.until((text) => text.includes("COMPLETED")))
        assert.notInclude(
          after.map(({ event }) => event),
          "reset"
        )
        const ids = before.filter(({ id }) => BigInt(id ?? 0) > BigInt(last)).map(({ id }) => id)
        assert.deepStrictEqual(after.map((event) => event.id).slice(0, ids.length), ids)
      }
    }).pipe(Effect.scoped)
  )

  it.live("a cancel ends the attempt, wherever it runs; a limit and a pause hold for all", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const file = join(place, "ended")
      const settings = {
        VENOM_LEASE: "2 seconds",
        VENOM_RUNNER: "command",
        VENOM_COMMAND: `sh -c 'trap "echo ended >> ${file}; exit 1" TERM; echo begun >> ${file}; while :; do sleep 0.05; done'`
      }
      const cluster = yield* Cluster.make(settings)
      const [a, b] = yield* Effect.all([cluster.node("a"), cluster.node("b")], { concurrency: 2 })
      yield* a.ask({
        method: "PUT",
        path: "/api/v1/queue/limits",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ concurrency: 1, types: {} })
      })
      const ids = [yield* a.submit("one"), yield* b.submit("two")]
      const begun = yield* until("one to run", Effect.all(ids.map((id) => b.get(id))), (tasks) =>
        tasks.some(({ status }) => status === "PROCESSING")
      )
      assert.strictEqual(begun.filter(({ status }) => status === "PROCESSING").length, 1)
      const waiting = begun.find(({ status }) => status === "PENDING")
      const running = begun.find(({ status }) => status === "PROCESSING")
      assert(waiting !== undefined && running !== undefined)
      assert.include((yield* b.ask({ path: `/api/v1/tasks/${waiting.id}/why` })).text, "limit of the queue reached")
      yield* until("it to begin", Effect.option(read(file)), (bytes) => bytes._tag === "Some")
      yield* post(b, "/queue/pause")
      const where = (yield* nodesOf(a)).find((node) => node.running === 1)
      const other = where?.name === "a" ? b : a
      assert.strictEqual((yield* post(other, `/tasks/${running.id}/cancel`)).status, 200)
      yield* until("its end", read(file), (bytes) => bytes.toString().includes("ended"))
      // paused: nothing takes its place
      yield* Effect.sleep("300 millis")
      assert.strictEqual((yield* a.get(waiting.id)).status, "PENDING")
      yield* post(a, "/queue/resume")
      yield* b.reaches(waiting.id, "PROCESSING")
      yield* post(a, `/tasks/${waiting.id}/cancel`)
    }).pipe(Effect.scoped)
  )
})

describe("a node that dies", () => {
  it.live("has its tasks running elsewhere within its lease and a second, and its part done by another", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make(forever)
      const a = yield* cluster.node("a")
      const id = yield* a.submit("long")
      yield* a.reaches(id, "PROCESSING")
      const b = yield* cluster.node("b")
      yield* until("who leads", nodesOf(b), (nodes) => nodes.some(({ leads, name }) => leads && name === "a"))
      yield* a.kill
      const killed = performance.now()
      const again = yield* until("the next attempt", b.get(id), ({ attempt }) => attempt === 2)
      assert.isAtMost(performance.now() - killed, lease + 1000)
      assert.strictEqual(again.status, "PROCESSING")
      assert.strictEqual(crashesOf(again), 1)
      yield* until("another to lead", nodesOf(b), (nodes) =>
        nodes.some(({ alive, leads, name }) => leads && alive && name === "b")
      )
      assert.deepInclude(
        (yield* nodesOf(b)).map(({ alive, name }) => ({ alive, name })),
        { alive: false, name: "a" }
      )
    }).pipe(Effect.scoped)
  )

  it.live("or hangs for longer than its lease, and comes back, cannot overwrite what others did meanwhile", () =>
    Effect.gen(function* () {
      const place = yield* directory
      const [open, log] = [join(place, "open"), join(place, "log")]
      const settings = {
        VENOM_LEASE: "2 seconds",
        VENOM_RUNNER: "command",
        // whoever runs it says its own name, when the gate is open
        VENOM_COMMAND: `sh -c '${untilThere(open)}; echo $WHO >> ${log}; echo $WHO'`
      }
      const cluster = yield* Cluster.make(settings)
      const a = yield* cluster.node("a", { WHO: "a" })
      const id = yield* a.submit("long")
      yield* a.reaches(id, "PROCESSING")
      const b = yield* cluster.node("b", { WHO: "b" })
      yield* a.signal("SIGSTOP")
      yield* until("the next attempt", b.get(id), ({ attempt }) => attempt === 2)
      // both may end now: the one that was lost, and the one that counts
      yield* write(open, "")
      const final = yield* b.reaches(id, "COMPLETED")
      assert.include(final, { attempt: 2, result: "b" })
      yield* a.signal("SIGCONT")
      yield* a.heard(/The lease of this node is over/)
      yield* until("it to be there again", nodesOf(a), (nodes) =>
        nodes.some(({ alive, name }) => alive && name === "a")
      )
      yield* until("it to have let go", nodesOf(a), (nodes) => nodes.every(({ running }) => running === 0))
      assert.deepStrictEqual(yield* a.get(id), final)
      const more = yield* a.submit("more")
      yield* a.reaches(more, "COMPLETED")
    }).pipe(Effect.scoped)
  )
})

describe("a rolling restart", () => {
  it.live("loses nothing and counts no attempt", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make({
        ...fast,
        VENOM_SIMULATED_DURATION: "200 millis",
        VENOM_SHUTDOWN_GRACE: "0 seconds"
      })
      let nodes = yield* Effect.all(
        ["a", "b", "c"].map((name) => cluster.node(name)),
        { concurrency: 3 }
      )
      const ids: Array<string> = []
      const submitSome = Effect.gen(function* () {
        for (let n = 0; n < 100; n++) {
          const node = nodes[n % nodes.length]
          if (node !== undefined) ids.push(yield* node.submit(`${n}`))
        }
      })
      for (const name of ["a", "b", "c"]) {
        yield* submitSome
        const [first, ...others] = nodes
        if (first !== undefined) assert.strictEqual((yield* first.stop).code, 0)
        nodes = [...others, yield* cluster.node(name)]
      }
      const [node] = nodes
      assert(node !== undefined)
      const tasks = yield* node.settled
      assert.deepStrictEqual(tasks.map(({ id }) => id).sort(), ids.sort())
      for (const task of tasks) assert.include(task, { status: "COMPLETED", attempt: 1 })
    }).pipe(Effect.scoped)
  )
})

describe("a database that goes away", () => {
  it.live("is told as not ready, with 503 for what is new, and is found again when it is back", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make(fast)
      const a = yield* cluster.node("a")
      const id = yield* a.submit("before")
      yield* a.reaches(id, "COMPLETED")
      yield* cluster.postgres.stop("SIGQUIT")
      const unready = yield* until("it to be seen", a.ready, ({ status }) => status === 503)
      assert.match((yield* problemIn(unready, 503)).detail, /storage is not writable: PostgreSQL/)
      const refused = yield* a.post({ content: "meanwhile" })
      yield* problemIn(refused, 503)
      assert.strictEqual((yield* a.ask({ path: "/health/live" })).status, 200)
      yield* cluster.postgres.start
      yield* until("it to be back", a.ready, ({ status }) => status === 200)
      const next = yield* a.submit("after")
      yield* a.reaches(next, "COMPLETED")
      assert.strictEqual((yield* a.get(id)).status, "COMPLETED")
      assert.strictEqual((yield* a.list).length, 2)
      assert.strictEqual((yield* a.stop).code, 0)
    }).pipe(Effect.scoped)
  )

  it.live(
    "or hangs, for longer than answers are waited for: nodes are there again once it goes on",
    () =>
      Effect.gen(function* () {
        const cluster = yield* Cluster.make(fast)
        const nodes = yield* Effect.all([cluster.node("a"), cluster.node("b")], { concurrency: 2 })
        yield* Effect.acquireUseRelease(
          cluster.postgres.hang(true),
          () =>
            Effect.gen(function* () {
              // more is asked than there are connections: what comes later waits for one
              for (const node of nodes) {
                for (let n = 0; n < 20; n++) yield* Effect.forkScoped(Effect.ignore(node.submit("meanwhile")))
              }
              for (const node of nodes) {
                yield* node.heard(/The lease of this node is over/)
                yield* until("it to be seen", node.ready, ({ status }) => status === 503)
              }
              // as long as an answer is waited for
              yield* Effect.sleep("41 seconds")
            }),
          () => cluster.postgres.hang(false)
        )
        for (const node of nodes) {
          yield* until("it to be ready", node.ready, ({ status }) => status === 200)
          yield* until("all to be alive", nodesOf(node), (all) =>
            ["a", "b"].every((name) => all.some((one) => one.alive && one.name === name))
          )
          yield* node.reaches(yield* node.submit("after"), "COMPLETED")
        }
      }).pipe(Effect.scoped),
    120_000
  )
})
