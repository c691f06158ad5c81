import process from "node:process"
import { parseArgs } from "node:util"
import { Cause, Console, Effect, Exit, Fiber, Random, Scope } from "effect"
import { ask, type Answer } from "../process/support/Http.ts"
import { directory, type Service, serve, until } from "../process/support/Service.ts"
import { isFinal, type Task, taskOf, tasksOf } from "../process/support/Wire.ts"
import * as Postgres from "../support/Postgres.ts"
import { check, type Records } from "./check.ts"
import * as Network from "./Network.ts"
import * as Way from "./Way.ts"
import * as Witness from "./Witness.ts"

/**
 * `npm run test:cluster -- --minutes 10 --seed 1`: three nodes and a PostgreSQL, all of them real. Nodes are killed, stop
 * and go on, lose their connections; the database is restarted; the clock of one node is wrong. Clients write down what
 * was acknowledged, whoever does the work writes down what was done. Afterwards all of it must agree. Where network
 * namespaces may be made each node has one of its own, and the cable between it and the database is taken out.
 */
const { values } = parseArgs({
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string", default: String(Date.now() % 1e6) } }
})
const minutes = Number(values.minutes)

const lease = 2000
const names = ["a", "b", "c"] as const
const limits = { type: "few", concurrency: 3, eachKey: 1 }

interface Node {
  readonly name: string
  readonly way: Way.Way
  scope: Scope.Closeable | undefined
  service: Service | undefined
}

const millis = (least: number, most: number) => Effect.flatMap(Random.nextIntBetween(least, most), Effect.sleep)
const tally = new Map<string, number>()
const count = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1)

const program = Effect.gen(function* () {
  const obstacle = Network.obstacle()
  if (obstacle !== undefined)
    yield* Console.log(`SKIPPED: cables that are out, a proxy stands still instead: ${obstacle}`)
  const network = obstacle === undefined ? yield* Network.make : undefined
  const postgres = yield* Postgres.make(network === undefined ? {} : { network: network.range })
  const database = yield* postgres.database
  const witness = yield* Witness.make(network?.others ?? "127.0.0.1")
  const acknowledged = new Map<string, string>()
  const inDoubt = new Set<string>()
  const cancelled = new Map<string, { readonly at: number; readonly acknowledged: boolean }>()
  const finals = new Map<string, Task>()
  const away: Array<{ readonly node: string; readonly from: number; readonly to: number }> = []

  const start = Effect.fnUntraced(function* (node: Node) {
    const scope = yield* Scope.make()
    const settings = {
      ...node.way.settings,
      VENOM_STORE: "postgres",
      VENOM_NODE_NAME: node.name,
      VENOM_LEASE: `${lease} millis`,
      VENOM_RUNNER: "http",
      VENOM_HTTP_URL: witness.urlOf(node.name),
      VENOM_HTTP_ALLOW_PRIVATE: "true",
      VENOM_CONCURRENCY: "16",
      VENOM_MAX_ATTEMPTS: "1000",
      VENOM_CRASH_LIMIT: "20",
      VENOM_SHUTDOWN_GRACE: "100 millis",
      ...(node.name === "c" ? { NODE_OPTIONS: `--import=${import.meta.dirname}/wrongClock.mjs` } : {})
    }
    const service = yield* Effect.flatMap(directory, (data) => serve(data, settings, node.way.within)).pipe(
      Scope.provide(scope)
    )
    node.scope = scope
    node.service = service
  })

  const end = Effect.fnUntraced(function* (node: Node) {
    const { scope } = node
    node.scope = undefined
    node.service = undefined
    if (scope !== undefined) yield* Scope.close(scope, Exit.void)
  })

  const nodes: Array<Node> = []
  const makeWay = network === undefined ? Way.proxied : Way.cabled(network)
  for (const [n, name] of names.entries()) {
    nodes.push({ name, way: yield* makeWay(n, database), scope: undefined, service: undefined })
  }
  yield* Effect.addFinalizer(() => Effect.forEach(nodes, end, { discard: true }))
  yield* Effect.addFinalizer((exit) =>
    Exit.isSuccess(exit)
      ? Effect.void
      : Effect.forEach(nodes, ({ name, service }) => {
          const errors = service?.log().filter(({ level }) => level === "error" || level === "fatal") ?? []
          return Console.error(`${name}: ${errors.map((event) => JSON.stringify(event)).join("\n")}`)
        }).pipe(Effect.ignoreCause)
  )
  yield* Effect.forEach(nodes, start, { concurrency: 3, discard: true })

  const anyNode = Effect.map(Random.nextIntBetween(0, nodes.length, { halfOpen: true }), (n) => nodes[n])

  /** Of any node that is there; none where nobody answers in time. */
  const asked = (path: string, method = "GET", body?: string, headers: Readonly<Record<string, string>> = {}) =>
    Effect.gen(function* () {
      const service = (yield* anyNode)?.service
      if (service === undefined) return yield* Effect.as(Effect.sleep("20 millis"), undefined)
      const json = body === undefined ? {} : { "content-type": "application/json" }
      const asking = ask(service.url)({
        method,
        path,
        headers: { ...json, ...headers },
        ...(body === undefined ? {} : { body })
      })
      return yield* asking.pipe(
        Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.succeed<Answer | undefined>(undefined) }),
        Effect.catch(() => Effect.as(Effect.sleep("20 millis"), undefined))
      )
    })

  let sent = 0
  let isOver = false
  /** With its key a request can be sent until an answer comes, to whichever node. */
  const submit = Effect.gen(function* () {
    const n = sent++
    const kind = n % 5
    const content = `${kind === 0 ? `key:${n % 3}` : "none"} ${yield* Random.nextIntBetween(0, 60)} ${n}`
    const body = JSON.stringify({
      content,
      ...(kind === 0 ? { concurrency_key: `key:${n % 3}` } : {}),
      ...(kind === 1 ? { type: limits.type } : {}),
      ...(kind === 2 ? { priority: (n % 7) - 3 } : {}),
      ...(kind === 3 ? { delay: `${n % 900} millis` } : {})
    })
    inDoubt.add(content)
    for (;;) {
      const answer = yield* asked("/api/v1/tasks", "POST", body, { "idempotency-key": `key-${n}` })
      if (answer?.status === 201) {
        acknowledged.set(content, idIn(answer))
        inDoubt.delete(content)
        return
      }
      if (answer !== undefined && answer.status !== 503) return yield* Effect.die(`${answer.status} ${answer.text}`)
      if (isOver) return
      yield* millis(5, 50)
    }
  })

  const anyId = Effect.suspend(() => {
    const ids = Array.from(acknowledged.values()).slice(-2000)
    return Effect.map(Random.nextIntBetween(0, Math.max(1, ids.length), { halfOpen: true }), (n) => ids[n])
  })

  const read = Effect.gen(function* () {
    const id = yield* anyId
    const answer = id === undefined ? undefined : yield* asked(`/api/v1/tasks/${id}`)
    if (answer === undefined || answer.status === 503) return yield* Effect.sleep("5 millis")
    const task = yield* Effect.orDie(taskOf(answer))
    const known = finals.get(task.id)
    if (known !== undefined && isFinal(task) && JSON.stringify(known) !== JSON.stringify(task)) {
      return yield* Effect.die(`${task.id} was ${JSON.stringify(known)}, and is ${JSON.stringify(task)}`)
    }
    if (isFinal(task)) finals.set(task.id, task)
  })

  const cancel = Effect.gen(function* () {
    yield* millis(50, 400)
    const id = yield* anyId
    if (id === undefined || finals.has(id) || cancelled.has(id)) return
    cancelled.set(id, { at: performance.now(), acknowledged: false })
    const answer = yield* asked(`/api/v1/tasks/${id}/cancel`, "POST")
    if (answer?.status === 200) cancelled.set(id, { at: cancelled.get(id)?.at ?? 0, acknowledged: true })
    if (answer?.status === 409) cancelled.delete(id)
  })

  const weather = Effect.gen(function* () {
    yield* millis(200, 1500)
    const node = yield* anyNode
    if (node?.service === undefined) return
    const { name, service, way } = node
    const awayFor = <A, E>(work: Effect.Effect<A, E>) => {
      const from = performance.now()
      return Effect.ensuring(
        work,
        Effect.sync(() => away.push({ node: name, from, to: performance.now() }))
      )
    }
    const chance = yield* Random.next
    if (chance < 0.2) {
      count("kill -9")
      yield* end(node)
      yield* millis(0, 3000)
      yield* start(node)
    } else if (chance < 0.4) {
      count("SIGSTOP")
      yield* awayFor(
        service.signal("SIGSTOP").pipe(
          Effect.andThen(millis(100, 2 * lease)),
          Effect.andThen(service.signal("SIGCONT")),
          // it needs a moment to see what time it is
          Effect.andThen(Effect.sleep("300 millis"))
        )
      )
    } else if (chance < 0.6) {
      count("connections cut")
      yield* way.cut
    } else if (chance < 0.75) {
      count(network === undefined ? "network stalled" : "cable out")
      yield* awayFor(
        way
          .stall(true)
          .pipe(
            Effect.andThen(millis(100, (yield* Random.next) < 0.2 ? 6 * lease : 2 * lease)),
            Effect.andThen(way.stall(false)),
            Effect.andThen(Effect.sleep("300 millis"))
          )
      )
    } else if (chance < 0.85) {
      count("stopped in order")
      yield* Effect.ignore(service.stop)
      yield* end(node)
      yield* start(node)
    } else {
      count("database restarted")
      yield* postgres.stop(chance < 0.93 ? "SIGINT" : "SIGQUIT")
      yield* millis(0, 3000)
      yield* postgres.start
    }
  })

  yield* until(
    "a node that takes it",
    asked(
      "/api/v1/queue/limits",
      "PUT",
      JSON.stringify({
        types: { [limits.type]: { concurrency: limits.concurrency } },
        keys: {},
        each_key: limits.eachKey
      })
    ),
    (answer) => answer?.status === 200
  )

  const begun = performance.now()
  const work = [
    ...Array.from({ length: 6 }, () => Effect.repeat(submit, { until: () => isOver })),
    ...Array.from({ length: 3 }, () => Effect.repeat(read, { until: () => isOver })),
    Effect.repeat(cancel, { until: () => isOver })
  ]
  const working = yield* Effect.forkChild(Effect.all(work, { concurrency: "unbounded", discard: true }))
  yield* Effect.raceFirst(
    Effect.repeat(weather, { until: () => performance.now() - begun > minutes * 60_000 }),
    Effect.andThen(Fiber.join(working), Effect.die("the clients have ended"))
  )
  isOver = true
  yield* Fiber.join(working)
  const service = yield* until(
    "a node",
    Effect.sync(() => nodes.find((node) => node.service !== undefined)?.service),
    (found) => found !== undefined
  )
  if (service === undefined) return yield* Effect.die("nobody is there")
  const tasks = yield* until(
    "all to be final",
    Effect.flatMap(service.ask({ path: "/api/v1/tasks" }), tasksOf).pipe(
      Effect.orElseSucceed((): ReadonlyArray<Task> => []),
      Effect.tap(() => Effect.sleep("200 millis"))
    ),
    (found) => found.length >= acknowledged.size && found.every(isFinal),
    "90 seconds"
  ).pipe(Effect.catch(() => Effect.flatMap(service.ask({ path: "/api/v1/tasks" }), tasksOf)))
  const records: Records = { acknowledged, inDoubt, cancelled, finals, away, limits }
  const problems = check(tasks, witness.attempts, records)
  const done = tasks.filter(({ status }) => status === "COMPLETED").length
  yield* Console.log(
    `${acknowledged.size} tasks acknowledged, ${inDoubt.size} in doubt, ${done} completed in ${witness.attempts.length} attempts, ` +
      `${tasks.length - done} cancelled; ${Array.from(tally, ([what, times]) => `${what} ${times}`).join(", ")}`
  )
  if (problems.length > 0) {
    return yield* Effect.die(`${problems.length} promises are broken:\n${problems.slice(0, 30).join("\n")}`)
  }
  yield* Console.log("Nothing lost, nothing doubled, nothing changed, no limit exceeded")
})

const idIn = ({ text }: Answer): string => /"task_id":"([^"]+)"/.exec(text)?.[1] ?? ""

const seeded = program.pipe(Effect.scoped, Random.withSeed(values.seed))
await Effect.runPromise(Console.log(`seed ${values.seed}, ${minutes} minutes`))
const exit = await Effect.runPromiseExit(Effect.tapCause(seeded, (cause) => Console.error(Cause.pretty(cause))))
process.exit(Exit.isSuccess(exit) ? 0 : 1)
