import { Effect, Random } from "effect"
import { assert } from "vitest"
import type { Unanswered } from "./Http.ts"
import type { Service } from "./Service.ts"
import { isFinal, submittedIn, type Task, tasksOf } from "./Wire.ts"

/** What a client knows for certain, whatever has become of the service since. */
export class Ledger {
  /** Contents by id: the submit was answered with 201. */
  readonly acknowledged = new Map<string, string>()
  /** Final tasks as they were seen, and when. */
  readonly finals = new Map<string, { readonly task: Task; readonly seen: number }>()
  /** Sent, and no answer came: taken or not, but never in parts. */
  readonly inDoubt = new Set<string>()
  /** Requests that were answered. */
  answers = 0
  #sent = 0

  /** Content that no other task has, of very different lengths. */
  nextContent(): Effect.Effect<string> {
    return Effect.map(Random.next, (chance) => {
      this.#sent++
      return `${this.#sent} ${"é\u2028\n".repeat(Math.floor(chance ** 8 * 5000))}`
    })
  }

  /** Whatever an answer says of a task must agree with all that was seen before it was asked for. */
  see(task: Task, asked: number): void {
    const content = this.acknowledged.get(task.id)
    if (content !== undefined) assert.strictEqual(task.content, content)
    const final = this.finals.get(task.id)
    // two answers may overtake one another
    if (final !== undefined && (final.seen < asked || isFinal(task))) assert.deepStrictEqual(task, final.task)
    if (final === undefined && isFinal(task)) this.finals.set(task.id, { task, seen: performance.now() })
  }

  /** Every acknowledged task is there, and no task that nobody sent. */
  audit(tasks: ReadonlyArray<Task>): void {
    const now = performance.now()
    const ids = new Set(tasks.map(({ id }) => id))
    assert.strictEqual(ids.size, tasks.length)
    const lost = [...this.acknowledged.keys()].filter((id) => !ids.has(id))
    assert.deepStrictEqual(lost, [])
    const unknown = new Set<string>()
    for (const task of tasks) {
      this.see(task, now)
      if (this.acknowledged.has(task.id)) continue
      assert.isTrue(this.inDoubt.has(task.content), `nobody sent ${task.content.slice(0, 80)}`)
      assert.isFalse(unknown.has(task.content), "taken twice")
      unknown.add(task.content)
    }
  }
}

const submitOne = Effect.fnUntraced(function* (venom: Service, ledger: Ledger) {
  const content = yield* ledger.nextContent()
  ledger.inDoubt.add(content)
  const answer = yield* venom.post({ content })
  ledger.answers++
  // refused while it stops: it has not happened
  if (answer.status !== 503) ledger.acknowledged.set(yield* submittedIn(answer), content)
  ledger.inDoubt.delete(content)
})

const readOne = Effect.fnUntraced(function* (venom: Service, ledger: Ledger) {
  const ids = [...ledger.acknowledged.keys()]
  const id = ids[yield* Random.nextIntBetween(0, Math.max(ids.length, 1), { halfOpen: true })]
  if (id === undefined) return yield* Effect.sleep("1 millis")
  const asked = performance.now()
  const task = yield* venom.get(id)
  ledger.answers++
  ledger.see(task, asked)
})

const listSome = Effect.fnUntraced(function* (venom: Service, ledger: Ledger) {
  const asked = performance.now()
  const tasks = yield* Effect.flatMap(venom.ask({ path: "/api/v1/tasks?limit=100" }), tasksOf)
  ledger.answers++
  for (const task of tasks) ledger.see(task, asked)
})

const over = <A>(work: Effect.Effect<A, Unanswered>) => Effect.ignore(Effect.forever(work))

/** Submits and reads as fast as it can, until nobody answers any more. */
export const load = (venom: Service, ledger: Ledger, clients = 16): Effect.Effect<void> =>
  Effect.all(
    [
      ...Array.from({ length: clients }, () => over(submitOne(venom, ledger))),
      ...Array.from({ length: Math.ceil(clients / 4) }, () => over(readOne(venom, ledger))),
      over(listSome(venom, ledger))
    ],
    { concurrency: "unbounded", discard: true }
  )
