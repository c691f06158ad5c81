import { Effect, Random, Schema } from "effect"
import { assert } from "vitest"
import type { Answer, Unanswered } from "./Http.ts"
import type { Service } from "./Service.ts"
import { isFinal, type Task, taskOf, tasksOf } from "./Wire.ts"

/** The work: a task whose content begins with `bad` fails, a `slow` one takes a moment, any other says its content. */
export const work = {
  VENOM_RUNNER: "command",
  VENOM_COMMAND: `sh -c 'read -r kind rest; case $kind in bad) exit 1;; slow) sleep 0.1;; esac; echo "$kind $rest"'`,
  VENOM_CRASH_LIMIT: "20"
}

/** A task as its client knows it; nobody else changes it but the service. */
interface Known {
  readonly body: Readonly<Record<string, unknown>> & { readonly content: string }
  readonly idempotencyKey: string | undefined
  /** None while no answer has come. */
  id: string | undefined
  last: Task | undefined
  cancelAsked: boolean
  /** And nothing seen of it yet. */
  retryAsked: boolean
  isRetried: boolean
  deleted: "no" | "perhaps" | "yes"
  isRefused: boolean
}

const json = { "content-type": "application/json" }
const taken = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ task_id: Schema.String })))
const isPaused = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ paused: Schema.Boolean })))
const oneOf = <const A>(...choices: readonly [A, ...ReadonlyArray<A>]) => Random.choice(choices)
const happens = (chance: number) => Effect.map(Random.next, (next) => next < chance)

const wasRefused = ({ status }: Answer) => status === 503

/** Submits, reads, cancels, retries and deletes tasks of its own, one after the other, and believes no answer. */
export class Client {
  readonly name: string
  readonly #known: Array<Known> = []
  /** Answers that have come. */
  answers = 0
  #sent = 0

  constructor(name: string) {
    this.name = name
  }

  get known(): ReadonlyArray<Known> {
    return this.#known
  }

  /** One thing or another. */
  step(venom: Service): Effect.Effect<void, Unanswered> {
    return Effect.gen({ self: this }, function* () {
      const task = this.#known.at(-(yield* Random.nextIntBetween(1, 30)))
      const chance = yield* Random.next
      if (task === undefined || chance < 0.45) yield* this.#submit(venom)
      else if (chance < 0.55) yield* this.#submitAgain(venom, task)
      else if (chance < 0.75) yield* this.#read(venom, task)
      else if (chance < 0.85) yield* this.#cancel(venom, task)
      else if (chance < 0.93) yield* this.#retry(venom, task)
      else yield* this.#remove(venom, task)
      this.answers++
    })
  }

  /** Holds a state of a task to what was asked for and to what was seen before. */
  see(known: Known, task: Task): void {
    const { body, cancelAsked, last, retryAsked } = known
    const said = JSON.stringify({ task, last })
    const isBad = body.content.startsWith("bad")
    assert.strictEqual(task.content, body.content)
    assert.strictEqual(task.type, body["type"] ?? "default")
    assert.strictEqual(task.priority, body["priority"] ?? 0)
    assert.isFalse(known.isRefused, `it was refused: ${said}`)
    if (!known.isRetried) assert.strictEqual(task.max_attempts, body["max_attempts"] ?? 5)
    // those that ended with their process do not end the task
    const crashes = task.attempts.filter(({ outcome }) => outcome === "crashed").length
    assert.isAtMost(task.attempt, task.max_attempts + crashes, said)
    if (task.status === "COMPLETED") {
      assert.isFalse(isBad, said)
      assert.strictEqual(task.result?.trim(), body.content)
    } else assert.isNull(task.result)
    if (task.status === "FAILED") {
      const { reason } = task.failure ?? {}
      const isEnd = reason === "error" && isBad && task.attempt >= task.max_attempts
      assert.isTrue(isEnd || (reason === "cancelled" && cancelAsked), said)
    } else assert.isNull(task.failure)
    if (last !== undefined) {
      assert.strictEqual(task.created_at, last.created_at)
      if (last.status === "COMPLETED" || (last.status === "FAILED" && !retryAsked)) assert.deepStrictEqual(task, last)
      assert.isAtLeast(task.updated_at.localeCompare(last.updated_at), 0, said)
      // only what runs is given back
      if (task.attempt < last.attempt) assert.strictEqual(last.status, "PROCESSING", said)
      if (task.updated_at !== last.updated_at) known.retryAsked = false
    }
    known.last = task
  }

  #submit(venom: Service) {
    return Effect.gen({ self: this }, function* () {
      const n = ++this.#sent
      const kind = yield* oneOf("good", "good", "good", "slow", "bad")
      const body = {
        content: `${kind} ${this.name} ${n}`,
        ...((yield* happens(0.3)) ? { priority: yield* Random.nextIntBetween(-100, 100) } : {}),
        ...((yield* happens(0.3)) ? { type: yield* oneOf("mail", "a/b:c") } : {}),
        ...((yield* happens(0.3)) ? { max_attempts: yield* Random.nextIntBetween(1, 3) } : {}),
        ...((yield* happens(0.2)) ? { delay: yield* oneOf("0 seconds", "50 millis", "1 second") } : {}),
        ...((yield* happens(0.3)) ? { concurrency_key: yield* oneOf("a", "b") } : {}),
        ...((yield* happens(0.15)) ? { unique_key: `${this.name} ${yield* oneOf("one", "other")}` } : {}),
        backoff: { kind: "fixed", base: "20 millis" }
      }
      const known: Known = {
        body,
        idempotencyKey: (yield* happens(0.3)) ? `${this.name}-${n}` : undefined,
        id: undefined,
        last: undefined,
        cancelAsked: false,
        retryAsked: false,
        isRetried: false,
        deleted: "no",
        isRefused: false
      }
      this.#known.push(known)
      yield* this.#send(venom, known)
    })
  }

  #send(venom: Service, known: Known) {
    return Effect.gen({ self: this }, function* () {
      const { body, idempotencyKey } = known
      const answer = yield* venom.ask({
        method: "POST",
        path: "/api/v1/tasks",
        headers: { ...json, ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }) },
        body: JSON.stringify(body)
      })
      if (wasRefused(answer)) {
        // one that was in doubt still is
        if (idempotencyKey === undefined) known.isRefused = true
        return
      }
      assert.strictEqual(answer.status, 201, answer.text)
      const { task_id: id } = taken(answer.text)
      const holder = this.#known.find((other) => other.id === id)
      if (holder !== undefined && holder !== known) {
        assert.isDefined(body["unique_key"])
        assert.strictEqual(holder.body["unique_key"], body["unique_key"])
        if (holder.last !== undefined && !holder.retryAsked) assert.isFalse(isFinal(holder.last))
        this.#known.splice(this.#known.indexOf(known), 1)
        return
      }
      assert.strictEqual(known.id ?? id, id)
      known.id = id
    })
  }

  /** With its key it is the same task, and with another body it is a mistake. */
  #submitAgain(venom: Service, known: Known) {
    return Effect.gen({ self: this }, function* () {
      if (known.idempotencyKey === undefined || known.body["unique_key"] !== undefined) return
      const isKnown = known.id !== undefined
      if (!isKnown || (yield* happens(0.5))) return yield* this.#send(venom, known)
      const answer = yield* venom.ask({
        method: "POST",
        path: "/api/v1/tasks",
        headers: { ...json, "idempotency-key": known.idempotencyKey },
        body: JSON.stringify({ content: "another" })
      })
      if (!wasRefused(answer)) assert.strictEqual(answer.status, 422, answer.text)
    })
  }

  #read(venom: Service, known: Known) {
    return Effect.gen({ self: this }, function* () {
      if (known.id === undefined) return
      const answer = yield* venom.ask({ path: `/api/v1/tasks/${known.id}` })
      if (!this.#isGone(known, answer)) this.see(known, yield* taskOf(answer))
    })
  }

  #isGone(known: Known, { status, text }: Answer): boolean {
    if (status !== 404) {
      assert.notStrictEqual(known.deleted, "yes", `it was deleted: ${text}`)
      return false
    }
    assert.notStrictEqual(known.deleted, "no", `it is lost: ${JSON.stringify(known)}`)
    known.deleted = "yes"
    return true
  }

  #act(venom: Service, known: Known, verb: "cancel" | "retry") {
    return Effect.gen({ self: this }, function* () {
      const answer = yield* venom.ask({ method: "POST", path: `/api/v1/tasks/${known.id}/${verb}` })
      return wasRefused(answer) || this.#isGone(known, answer) ? undefined : answer
    })
  }

  #cancel(venom: Service, known: Known) {
    return Effect.gen({ self: this }, function* () {
      if (known.id === undefined) return
      const before = known.cancelAsked
      known.cancelAsked = true
      const answer = yield* this.#act(venom, known, "cancel")
      if (answer?.status === 409) known.cancelAsked = before
      else if (answer !== undefined) {
        const task = yield* taskOf(answer)
        assert.strictEqual(task.failure?.reason, "cancelled")
        this.see(known, task)
      }
    })
  }

  #retry(venom: Service, known: Known) {
    return Effect.gen({ self: this }, function* () {
      if (known.id === undefined) return
      const before = { retryAsked: known.retryAsked, isRetried: known.isRetried }
      known.retryAsked = known.isRetried = true
      const answer = yield* this.#act(venom, known, "retry")
      if (answer?.status === 409) Object.assign(known, before)
      else if (answer !== undefined) this.see(known, yield* taskOf(answer))
    })
  }

  #remove(venom: Service, known: Known) {
    return Effect.gen({ self: this }, function* () {
      if (known.id === undefined || known.deleted === "yes") return
      const before = known.deleted
      known.deleted = "perhaps"
      const answer = yield* venom.ask({ method: "DELETE", path: `/api/v1/tasks/${known.id}` })
      if (answer.status === 204) known.deleted = "yes"
      else if (answer.status === 409) {
        if (known.last !== undefined && !known.isRetried) assert.isFalse(isFinal(known.last), answer.text)
        known.deleted = before
      } else if (!wasRefused(answer)) this.#isGone(known, answer)
    })
  }
}

/** Pauses and resumes, and looks whether anything begins meanwhile. */
export class Pauser {
  #isPaused: boolean | undefined = false
  answers = 0

  step(venom: Service): Effect.Effect<void, Unanswered> {
    return Effect.gen({ self: this }, function* () {
      yield* Effect.sleep(yield* Random.nextIntBetween(1, 100))
      if (this.#isPaused === true && (yield* happens(0.5))) return yield* this.#watch(venom)
      yield* this.turn(venom, this.#isPaused !== true)
    })
  }

  turn(venom: Service, pause: boolean) {
    return Effect.gen({ self: this }, function* () {
      const before = this.#isPaused
      this.#isPaused = undefined
      const answer = yield* venom.ask({ method: "POST", path: `/api/v1/queue/${pause ? "pause" : "resume"}` })
      if (!wasRefused(answer)) assert.strictEqual(answer.status, 200, answer.text)
      this.#isPaused = wasRefused(answer) ? before : pause
      this.answers++
    })
  }

  #watch(venom: Service) {
    return Effect.gen({ self: this }, function* () {
      const before = new Map((yield* venom.list).map(({ attempt, id }) => [id, attempt]))
      yield* Effect.sleep("50 millis")
      for (const { attempt, id } of yield* venom.list) {
        assert.isAtMost(attempt, before.get(id) ?? 0, `${id} began while the queue was paused`)
      }
      this.answers++
    })
  }

  /** In a new life it is as it was. */
  audit(venom: Service) {
    return Effect.gen({ self: this }, function* () {
      const { paused } = isPaused((yield* venom.ask({ path: "/api/v1/queue" })).text)
      assert.strictEqual(paused, this.#isPaused ?? paused)
      this.#isPaused = paused
    })
  }
}

/** All there is, while no client asks for anything: nothing lost, nothing made up, at most one of a unique key. */
export const audit = Effect.fnUntraced(function* (venom: Service, clients: ReadonlyArray<Client>) {
  const tasks = yield* Effect.flatMap(venom.ask({ path: "/api/v1/tasks" }), tasksOf)
  const found = new Map(tasks.map((task) => [task.content, task]))
  assert.strictEqual(found.size, tasks.length, "a task is there twice")
  const uniqueKeys = new Set<unknown>()
  for (const client of clients) {
    for (const known of client.known) {
      const task = found.get(known.body.content)
      found.delete(known.body.content)
      if (task === undefined) {
        if (known.id === undefined) continue
        assert.notStrictEqual(known.deleted, "no", `it is lost: ${JSON.stringify(known)}`)
        known.deleted = "yes"
        continue
      }
      assert.notStrictEqual(known.deleted, "yes", `it was deleted: ${JSON.stringify(task)}`)
      assert.strictEqual(known.id ?? task.id, task.id)
      known.id = task.id
      client.see(known, task)
      const uniqueKey = known.body["unique_key"]
      if (uniqueKey === undefined || isFinal(task)) continue
      assert.isFalse(uniqueKeys.has(uniqueKey), `two of ${String(uniqueKey)}`)
      uniqueKeys.add(uniqueKey)
    }
  }
  assert.deepStrictEqual(Array.from(found.keys()), [], "nobody sent it")
})
