import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option, Result, type Scope } from "effect"
import type { Flow } from "../../../src/domain/Flow.ts"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { limits, type VenomTask } from "../../../src/domain/Task.ts"
import { StateRepository } from "../../../src/ports/StateRepository.ts"
import { AnyTransitions, toTransition } from "../../support/AnyTransition.ts"
import { everything as isLong } from "../../support/everything.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { claimAll, completed, quiet, read, type Repository } from "./harness.ts"

export interface Reopen {
  /** Opens the repository that lives in a directory. */
  readonly open: (directory: string) => Layer.Layer<StateRepository, unknown>
}

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => n + from)

const everything = (repository: Repository) =>
  Effect.map(repository.page({}, { limit: 1_000_000 }), ({ tasks }) => tasks)

/** A life of the repository: opened, used, closed. */
type Live = <A>(use: (repository: Repository) => Effect.Effect<A, unknown, Scope.Scope>) => Effect.Effect<A, unknown>

export const durability = ({ open }: Reopen): void => {
  const inDirectory = <A>(body: (live: Live) => Effect.Effect<A, unknown>) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "venom-test-" })
      return yield* body((use) =>
        Effect.flatMap(StateRepository, use).pipe(
          Effect.scoped,
          Effect.provide(Layer.fresh(open(directory)).pipe(Layer.provideMerge(quiet)))
        )
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))

  const test = (promise: string, body: (live: Live) => Effect.Effect<unknown, unknown>) =>
    it.live(promise, () => inDirectory(body), 30_000)

  /** Tasks in every state, with logs and several attempts. */
  const history = (repository: Repository) =>
    Effect.gen(function* () {
      yield* repository.insert(
        range(60).map((n) => submitted(n, { priority: n % 7, tags: [`tag ${n % 3}`], type: `type-${n % 2}` }, n))
      )
      for (const round of range(3)) {
        const claimed = yield* repository.claim({ limit: 20, now: 1000 * (round + 1) })
        for (const task of claimed) {
          yield* repository.update(
            task.id,
            Lifecycle.log([`1970-01-01T00:00:00.000Z working on ${task.content}`], 5000)
          )
        }
        const verdicts = [
          Lifecycle.complete("a result", 6000),
          Lifecycle.retry("timeout", "too long", 6001, 6000),
          Lifecycle.fail("defect", "boom", 6000),
          Lifecycle.release(6000)
        ]
        yield* repository.settle(
          claimed
            .slice(0, 16)
            .map((task, n) => ({ claimed: task, transition: verdicts[n % 4] ?? Lifecycle.release(0) }))
        )
      }
      yield* repository.update(idOf(59), Lifecycle.cancel(7000))
    })

  test("a new place is an empty repository", (live) =>
    live((repository) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* everything(repository), [])
        assert.deepStrictEqual(yield* repository.counts, { PENDING: 0, PROCESSING: 0, COMPLETED: 0, FAILED: 0 })
      })
    ))

  test("holds entries, what holds back tasks, and whose a unique key is", (live) =>
    Effect.gen(function* () {
      const put = { name: "a", value: { n: 1 }, expects: 0, expiresAt: 5000, now: 0 }
      const flow: Flow = { paused: false, types: { mail: { paused: true } }, keys: {}, eachKey: 3 }
      yield* live((repository) =>
        Effect.gen(function* () {
          yield* repository.insert([submitted(1, { uniqueKey: "one" })], put)
          yield* repository.put({ ...put, name: "gone" })
          yield* repository.put({ ...put, name: "gone", value: undefined, expects: 1 })
          yield* repository.updateFlow(() => flow)
        })
      )
      for (const n of [2, 3]) {
        yield* live((repository) =>
          Effect.gen(function* () {
            const entry = yield* Effect.fromOption(yield* repository.entry("a"))
            assert.deepStrictEqual(entry, { name: "a", value: { n: 1 }, revision: 1, expiresAt: 5000 })
            assert.deepStrictEqual(yield* repository.entry("gone"), Option.none())
            assert.deepStrictEqual(yield* repository.flow, flow)
            assert.strictEqual((yield* repository.insert([submitted(n, { uniqueKey: "one" })]))[0]?.id, idOf(1))
          })
        )
      }
    }))

  test("holds everything as it was: states, times, attempts, logs, results", (live) =>
    Effect.gen(function* () {
      const before = yield* live((repository) => Effect.andThen(history(repository), everything(repository)))
      assert.strictEqual(before.length, 60)
      assert.deepStrictEqual([...new Set(before.map(({ status }) => status))].sort(), [
        "COMPLETED",
        "FAILED",
        "PENDING",
        "PROCESSING"
      ])
      assert.deepStrictEqual(yield* live(everything), before)
      assert.deepStrictEqual(yield* live(everything), before)
    }))

  test("counts, due times and the order of claims are those of before", (live) =>
    Effect.gen(function* () {
      const counts = yield* live((repository) => Effect.andThen(history(repository), repository.counts))
      yield* live((repository) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* repository.counts, counts)
          const pending = (yield* everything(repository)).filter(({ status }) => status === "PENDING")
          const due = Option.getOrThrow(yield* repository.nextDue())
          assert.isAtMost(due, Math.min(...pending.map(({ runAt }) => runAt)))
          const claimed = yield* claimAll(repository, 10_000)
          const urgent = (a: VenomTask, b: VenomTask) =>
            a.priority - b.priority || a.runAt - b.runAt || (a.id < b.id ? -1 : 1)
          assert.deepStrictEqual(
            claimed.map(({ id }) => id),
            pending.toSorted(urgent).map(({ id }) => id)
          )
        })
      )
    }))

  test("holds 5,000 tasks", (live) =>
    Effect.gen(function* () {
      const before = yield* live((repository) =>
        Effect.gen(function* () {
          yield* Effect.forEach(range(50), (n) => repository.insert(range(100, 100 * n).map((m) => submitted(m))), {
            concurrency: 10
          })
          const claimed = yield* repository.claim({ limit: 2000, now: 0 })
          yield* repository.settle(claimed.slice(0, 1500).map((task) => completed(task)))
          return yield* everything(repository)
        })
      )
      assert.strictEqual(before.length, 5000)
      yield* live((repository) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* everything(repository), before)
          assert.deepStrictEqual(yield* repository.counts, {
            PENDING: 3000,
            PROCESSING: 500,
            COMPLETED: 1500,
            FAILED: 0
          })
          assert.strictEqual((yield* repository.rescue(Lifecycle.rescue(3, 0))).length, 500)
        })
      )
    }))

  test("what was PROCESSING is an orphan, rescued once and never again", (live) =>
    Effect.gen(function* () {
      const claimed = yield* live((repository) =>
        Effect.andThen(repository.insert(range(5).map((n) => submitted(n))), repository.claim({ limit: 3, now: 0 }))
      )
      yield* live((repository) =>
        Effect.gen(function* () {
          const [mine] = yield* repository.claim({ limit: 1, now: 0 })
          const rescued = yield* repository.rescue(Lifecycle.rescue(3, 100))
          assert.deepStrictEqual(
            rescued.map(({ id }) => id).sort(),
            claimed.map(({ id }) => id)
          )
          for (const task of rescued) {
            assert.deepStrictEqual([task.status, task.attempt, task.attempts[0]?.outcome], ["PENDING", 1, "crashed"])
            assert.deepStrictEqual(yield* read(repository, task.id), task)
          }
          assert.deepStrictEqual(yield* repository.rescue(Lifecycle.rescue(3, 200)), [])
          assert.strictEqual((yield* read(repository, idOf(3))).status, "PROCESSING", "a claim of this life is none")
          if (mine !== undefined) yield* repository.settle([completed(mine)])
        })
      )
      assert.deepStrictEqual(yield* live((repository) => repository.rescue(Lifecycle.rescue(3, 300))), [])
    }))

  test("an orphan stays one until it is rescued", (live) =>
    Effect.gen(function* () {
      yield* live((repository) => Effect.andThen(repository.insert([submitted(1)]), claimAll(repository)))
      yield* live(() => Effect.void)
      const rescued = yield* live((repository) => repository.rescue(Lifecycle.rescue(1, 0)))
      assert.deepStrictEqual(
        rescued.map(({ status }) => status),
        ["FAILED"]
      )
    }))

  test("an orphan cancelled before its rescue stays cancelled", (live) =>
    Effect.gen(function* () {
      yield* live((repository) => Effect.andThen(repository.insert([submitted(1)]), claimAll(repository)))
      yield* live((repository) =>
        Effect.gen(function* () {
          const cancelled = yield* repository.update(idOf(1), Lifecycle.cancel(0))
          assert.deepStrictEqual(yield* repository.rescue(Lifecycle.rescue(3, 0)), [])
          assert.deepStrictEqual(yield* read(repository, idOf(1)), cancelled)
        })
      )
    }))

  test("an orphan that was cancelled, retried and claimed anew before its rescue is none any more", (live) =>
    Effect.gen(function* () {
      yield* live((repository) => Effect.andThen(repository.insert([submitted(1)]), claimAll(repository)))
      yield* live((repository) =>
        Effect.gen(function* () {
          yield* repository.update(idOf(1), Lifecycle.cancel(1))
          yield* repository.reopen(idOf(1), Lifecycle.retryByHand(2))
          const [claimed] = yield* claimAll(repository, 3)
          assert.deepStrictEqual(yield* repository.rescue(Lifecycle.rescue(3, 4)), [])
          assert.deepStrictEqual(yield* read(repository, idOf(1)), claimed)
        })
      )
    }))

  test("a verdict from a former life comes too late once its task was rescued", (live) =>
    Effect.gen(function* () {
      const claimed = yield* live((repository) =>
        Effect.andThen(repository.insert([submitted(1)]), claimAll(repository))
      )
      yield* live((repository) =>
        Effect.gen(function* () {
          yield* repository.rescue(Lifecycle.rescue(3, 0))
          yield* claimAll(repository)
          const settled = yield* repository.settle(claimed.map((task) => completed(task)))
          assert.deepStrictEqual(settled.map(Result.isFailure), [true])
        })
      )
    }))

  test("each of twenty lives adds to what the others left", (live) =>
    Effect.gen(function* () {
      for (const n of range(20)) {
        yield* live((repository) =>
          Effect.gen(function* () {
            assert.strictEqual((yield* everything(repository)).length, n)
            if (n > 0) yield* repository.update(idOf(n - 1), Lifecycle.cancel(n))
            yield* repository.insert([submitted(n)])
          })
        )
      }
      const statuses = (yield* live(everything)).map(({ status }) => status)
      assert.deepStrictEqual(statuses, ["PENDING", ...range(19).map(() => "FAILED")])
    }))

  test("keeps every content exactly", (live) =>
    Effect.gen(function* () {
      const contents = [
        "",
        "\n",
        "\r\n",
        "\u2028\u2029",
        "\u0000",
        "\ud800",
        "\udc00\ud800",
        "😀",
        '"\\/',
        "x".repeat(limits.contentBytes)
      ]
      yield* live((repository) => repository.insert(contents.map((content, n) => submitted(n, { content }))))
      const found = (yield* live(everything)).map(({ content }) => content)
      assert.deepStrictEqual(found, contents.toReversed())
    }))

  it.live.prop(
    "keeps any history",
    [AnyTransitions],
    ([steps]) =>
      inDirectory((live) =>
        Effect.gen(function* () {
          const halves = [steps.slice(0, steps.length / 2), steps.slice(steps.length / 2)]
          yield* live((repository) => repository.insert([submitted(1)]))
          let task = submitted(1)
          let now = 0
          for (const half of halves) {
            yield* live((repository) =>
              Effect.gen(function* () {
                for (const step of half) {
                  now = Math.max(0, now + step.elapsed)
                  const updated = yield* Effect.result(repository.update(task.id, toTransition(step, now)))
                  if (Result.isSuccess(updated)) task = updated.success
                }
              })
            )
            assert.deepStrictEqual(yield* live((repository) => read(repository, task.id)), task)
          }
        })
      ),
    { arbitrary: { runs: isLong ? 50 : 8 }, timeout: 60_000 }
  )
}
