import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, PubSub, Ref, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Lifecycle from "../../../src/domain/Lifecycle.ts"
import { limits } from "../../../src/domain/Task.ts"
import type { Event, Told } from "../../../src/engine/Event.ts"
import type { StateRepository } from "../../../src/ports/StateRepository.ts"
import { idOf, submitted } from "../../support/tasks.ts"
import { quiet } from "../engine.ts"
import { begin, claim, complete, heard, idsOf, logs, roomy, say } from "./following.ts"

const id = idOf(1)

/** A task's whole life: submitted, claimed, two lines, progress, done. */
const live = Effect.fnUntraced(function* (repository: StateRepository["Service"], n = 1) {
  yield* repository.insert([submitted(n)])
  const [claimed] = yield* claim(repository)
  yield* logs(repository, idOf(n), "a", "b")
  yield* repository.update(idOf(n), Lifecycle.progress({ percent: 40, message: null }, 1))
  if (claimed !== undefined) yield* complete(repository, claimed)
})

const story = [
  `"submitted"`,
  "PENDING 0",
  `"attempt 1 of 5 started"`,
  "PROCESSING 1",
  `"a"`,
  `"b"`,
  "40 %",
  `"attempt 1 completed"`,
  "COMPLETED 1"
]

const grows = (told: ReadonlyArray<Told>) => {
  const ids = idsOf(told)
  assert.deepStrictEqual(
    ids,
    Array.from(new Set(ids)).sort((a, b) => (a < b ? -1 : 1))
  )
}

describe("who follows one task", () => {
  it.effect("is told its present state, then everything in its order, and the end after the final event", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1), submitted(2)] })
      const following = yield* events.followTask(id)
      const [claimed] = yield* claim(repository)
      yield* logs(repository, id, "a", "b")
      const before = yield* heard(following)
      assert.deepStrictEqual(before.told.map(say), [
        "PENDING 0",
        `"attempt 1 of 5 started"`,
        "PROCESSING 1",
        `"a"`,
        `"b"`
      ])
      assert.isFalse(before.ended)
      if (claimed !== undefined) yield* complete(repository, claimed)
      const after = yield* heard(following)
      assert.deepStrictEqual(after.told.map(say), [`"attempt 1 completed"`, "COMPLETED 1"])
      assert.isTrue(after.ended)
      grows([...before.told, ...after.told])
    })
  )

  it.effect("is told what it waits for at once, without being stirred", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)] })
      const following = yield* events.followTask(id)
      assert.deepStrictEqual((yield* following.next).map(say), ["PENDING 0"])
      const next = yield* Effect.forkChild(following.next)
      yield* quiet
      assert.isUndefined(next.pollUnsafe())
      yield* repository.update(id, Lifecycle.cancel(1))
      assert.deepStrictEqual((yield* Fiber.join(next)).map(say), [`"cancelled"`, "FAILED 0"])
    })
  )

  it.effect("of a final task is told its state and the end", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin()
      yield* live(repository)
      const following = yield* events.followTask(id)
      const { ended, told } = yield* heard(following)
      assert.deepStrictEqual(told.map(say), ["COMPLETED 1"])
      assert.isTrue(ended)
      assert.isFalse(following.isOver)
    })
  )

  it.effect("sees how far a running task is, after its state", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)] })
      yield* claim(repository)
      yield* repository.update(id, Lifecycle.progress({ percent: 40, message: "half" }, 1))
      const { told } = yield* heard(yield* events.followTask(id))
      assert.deepStrictEqual(told.map(say), ["PROCESSING 1", "40 % now"])
    })
  )

  it.effect("cannot follow a task that is not there", () =>
    Effect.gen(function* () {
      const { events } = yield* begin()
      assert.strictEqual((yield* Effect.flip(events.followTask(id)))._tag, "TaskNotFound")
    })
  )

  it.effect("is told nothing of a deletion, and follows a task that is retried by hand", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)] })
      const all = yield* events.follow({})
      yield* repository.update(id, Lifecycle.cancel(1))
      const first = yield* heard(yield* events.followTask(id))
      yield* repository.reopen(id, Lifecycle.retryByHand(2))
      const again = yield* events.followTask(id, { after: idsOf(first.told)[0] ?? 0n })
      yield* repository.update(id, Lifecycle.cancel(3))
      const { ended, told } = yield* heard(again)
      assert.deepStrictEqual(told.map(say), [`"retried by hand"`, "PENDING 0", `"cancelled"`, "FAILED 0"])
      assert.isTrue(ended)
      yield* heard(all)
      yield* repository.remove(id)
      assert.deepStrictEqual((yield* heard(all)).told, [])
    })
  )

  it.effect("hears each line once, also when lines are dropped from the log", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)] })
      yield* claim(repository)
      const following = yield* events.followTask(id)
      yield* heard(following)
      const lines = Array.from({ length: 1000 }, (_, n) => `line ${n}`)
      const told: Array<Told> = []
      for (let n = 0; n < lines.length; n += 25) {
        yield* logs(repository, id, ...lines.slice(n, n + 25))
        told.push(...(yield* heard(following)).told)
      }
      assert.deepStrictEqual(
        told.map(say),
        lines.map((line) => `"${line}"`)
      )
      assert.isAtMost((yield* repository.update(id, Lifecycle.cancel(1))).logs.length, limits.logLines)
    })
  )
})

describe("who comes back", () => {
  it.effect("is told exactly what it has not heard, wherever it was interrupted", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin()
      const following = yield* events.follow({})
      yield* live(repository, 1)
      yield* live(repository, 2)
      const { told } = yield* heard(following)
      assert.deepStrictEqual(told.map(say), [...story, ...story])
      grows(told)
      for (const [n, { id: after }] of told.entries()) {
        if (after === undefined) return assert.fail("an event without an id")
        const rest = told.slice(n + 1)
        assert.deepStrictEqual((yield* heard(yield* events.follow({}, { after }))).told, rest)
        const own = rest.filter((event) => "task" in event && event.task.id === idOf(2))
        const reader = yield* events.followTask(idOf(2), { after })
        assert.deepStrictEqual(yield* heard(reader), { told: own, ended: true })
        assert.strictEqual(reader.isOver, own.length === 0)
      }
    })
  )

  it.effect("goes on from the place where it began, though nothing had happened", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)] })
      const { begin: place = 0n } = yield* events.follow({})
      const [present] = (yield* heard(yield* events.followTask(id))).told
      yield* claim(repository)
      for (const after of [place, present?.id ?? 0n]) {
        const own = yield* heard(yield* events.followTask(id, { after }))
        const all = yield* heard(yield* events.follow({}, { after }))
        assert.deepStrictEqual(own.told.map(say), [`"attempt 1 of 5 started"`, "PROCESSING 1"])
        assert.deepStrictEqual(all.told, own.told)
      }
    })
  )

  it.effect("from another life, or from nowhere, is told how things stand, and goes on from there", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1), submitted(2)] })
      const [claimed] = yield* claim(repository)
      for (const after of [-1n, 0n, 10n ** 25n]) {
        const all = yield* events.follow({}, { after })
        const own = yield* events.followTask(id, { after })
        assert.isUndefined(all.begin)
        const [stands] = (yield* heard(all)).told
        assert.strictEqual(
          stands === undefined ? "" : say(stands),
          `reset {"PENDING":0,"PROCESSING":2,"COMPLETED":0,"FAILED":0}`
        )
        const [state] = (yield* heard(own)).told
        assert.strictEqual(state === undefined ? "" : say(state), "reset PROCESSING 1")
        assert.strictEqual(state?.id, stands?.id)
        yield* logs(repository, id, "next")
        assert.deepStrictEqual((yield* heard(all)).told.map(say), [`"next"`])
        assert.deepStrictEqual((yield* heard(own)).told.map(say), [`"next"`])
        const back = yield* events.follow({}, { after: state?.id ?? 0n })
        assert.deepStrictEqual((yield* heard(back)).told.map(say), [`"next"`])
      }
      if (claimed !== undefined) yield* complete(repository, claimed)
      const final = yield* heard(yield* events.followTask(id, { after: -1n }))
      assert.deepStrictEqual([final.told.map(say), final.ended], [["reset COMPLETED 1"], true])
      const over = yield* events.followTask(id, { after: idsOf(final.told)[0] ?? 0n })
      assert.isTrue(over.isOver)
    })
  )

  for (const [bound, history] of [
    ["so many", { events: 5, bytes: 1_000_000 }],
    ["so large", { events: 1000, bytes: 1500 }]
  ] as const) {
    it.effect(`may have missed no more than is kept, when events are ${bound}`, () =>
      Effect.gen(function* () {
        const { events, repository } = yield* begin({ events: { ...roomy, history } })
        const told: Array<Told> = []
        const following = yield* events.follow({})
        for (let n = 0; n < 20; n++) {
          yield* repository.insert([submitted(n)])
          told.push(...(yield* heard(following)).told)
        }
        let resets = 0
        for (const [n, { id: after = 0n }] of told.entries()) {
          const back = yield* heard(yield* events.follow({}, { after }))
          if (back.told[0]?._tag === "Reset") {
            resets++
            assert.lengthOf(back.told, 1)
          } else assert.deepStrictEqual(back.told, told.slice(n + 1))
        }
        // four are kept, of two whole changes: the reader of the fifth can still be told all
        if (bound === "so many") assert.strictEqual(resets, told.length - 5)
        else assert.isTrue(resets > told.length - 10 && resets < told.length - 3, `${resets}`)
      })
    )
  }
})

describe("who follows all", () => {
  it.effect("is told what it wants to hear of", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin()
      const filters = [{ type: "email" }, { tag: "a" }, { status: "PROCESSING" }, { type: "email", tag: "b" }] as const
      const followings = yield* Effect.forEach(filters, (filter) => events.follow(filter))
      yield* repository.insert([
        submitted(1, { type: "email", tags: ["a"] }),
        submitted(2, { type: "email", tags: ["b"] }),
        submitted(3, { type: "sms", tags: ["a", "b"] })
      ])
      yield* claim(repository)
      const of = (told: ReadonlyArray<Told>) =>
        Array.from(new Set(told.map((event) => ("task" in event ? event.task.id : ""))))
      const told = yield* Effect.forEach(followings, heard)
      assert.deepStrictEqual(
        told.map(({ told }) => [of(told).map((id) => Number(id.slice(-1))), told.length]),
        [
          [[1, 2], 8],
          [[1, 3], 8],
          [[1, 2, 3], 6],
          [[2], 4]
        ]
      )
    })
  )

  it.effect("is not woken by what it does not want to hear of", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin()
      const following = yield* events.follow({ type: "email" })
      const next = yield* Effect.forkChild(following.next)
      yield* repository.insert([submitted(1)])
      yield* quiet
      assert.isUndefined(next.pollUnsafe())
      yield* repository.insert([submitted(2, { type: "email" })])
      assert.deepStrictEqual((yield* Fiber.join(next)).map(say), [`"submitted"`, "PENDING 0"])
    })
  )
})

describe("a reader that is too slow", () => {
  it.effect("of one task has its end, with nothing kept for it; others hear everything, and it may come back", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({
        events: { ...roomy, reader: { events: 10, bytes: 1_000_000 } },
        tasks: [submitted(1)]
      })
      yield* claim(repository)
      const slow = yield* events.followTask(id)
      const [first] = (yield* heard(slow)).told
      const fast = yield* events.followTask(id)
      yield* heard(fast)
      const lines: Array<string> = []
      for (let n = 0; n < 20; n++) {
        yield* logs(repository, id, `line ${n}`)
        lines.push(...(yield* heard(fast)).told.map(say))
      }
      assert.lengthOf(lines, 20)
      assert.deepStrictEqual(yield* heard(slow), { told: [], ended: true })
      const back = yield* heard(yield* events.followTask(id, { after: first?.id ?? 0n }))
      assert.deepStrictEqual(back.told.map(say), ["reset PROCESSING 1"])
    })
  )

  it.effect("is given one change in whole, however much it tells", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({
        events: { ...roomy, reader: { events: 3, bytes: 10 } },
        tasks: [submitted(1)]
      })
      yield* claim(repository)
      const following = yield* events.followTask(id)
      yield* heard(following)
      yield* logs(repository, id, "a", "b", "c", "d", "e")
      assert.lengthOf((yield* heard(following)).told, 5)
    })
  )

  it.effect("of all tasks has its end when what comes next for it is no longer kept", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ events: { ...roomy, history: { events: 10, bytes: 1_000_000 } } })
      const slow = yield* events.follow({})
      const fast = yield* events.follow({})
      let told = 0
      for (let n = 0; n < 20; n++) {
        yield* repository.insert([submitted(n)])
        told += (yield* heard(fast)).told.length
      }
      assert.strictEqual(told, 40)
      assert.deepStrictEqual(yield* heard(slow), { told: [], ended: true })
    })
  )
})

describe("when the service begins to stop", () => {
  it.effect("streams end, with what was told before; who comes then is told how things stand", () =>
    Effect.gen(function* () {
      const { draining, events, repository } = yield* begin({ tasks: [submitted(1)] })
      const [own, all] = [yield* events.followTask(id), yield* events.follow({})]
      yield* claim(repository)
      yield* draining.begin
      yield* quiet
      assert.deepStrictEqual((yield* heard(own)).told.map(say).at(-1), "PROCESSING 1")
      assert.deepStrictEqual((yield* heard(all)).told.map(say).at(-1), "PROCESSING 1")
      for (const following of [own, all]) assert.isTrue((yield* heard(following)).ended)
      const late = yield* heard(yield* events.followTask(id))
      assert.deepStrictEqual([late.told.map(say), late.ended], [["PROCESSING 1"], true])
      assert.isTrue((yield* heard(yield* events.follow({}))).ended)
    })
  )

  it.effect("waits end with the present state", () =>
    Effect.gen(function* () {
      const { draining, events } = yield* begin({ tasks: [submitted(1)] })
      const waiting = yield* Effect.forkChild(events.awaitFinal(id), { startImmediately: true })
      yield* draining.begin
      assert.strictEqual((yield* Fiber.join(waiting)).status, "PENDING")
      assert.strictEqual((yield* events.awaitFinal(id)).status, "PENDING")
    })
  )
})

describe("who waits for the end of a task", () => {
  it.effect("has it when it is there, a thousand of them too", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1), submitted(2)] })
      const waiting = yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.forkChild(events.awaitFinal(id)))
      yield* quiet
      const [claimed] = yield* claim(repository)
      yield* quiet
      assert.isTrue(waiting.every((fiber) => fiber.pollUnsafe() === undefined))
      if (claimed !== undefined) yield* complete(repository, claimed)
      for (const fiber of waiting) assert.strictEqual((yield* Fiber.join(fiber)).result, "done")
      assert.strictEqual((yield* events.awaitFinal(id)).result, "done")
      assert.strictEqual((yield* Effect.flip(events.awaitFinal(idOf(3))))._tag, "TaskNotFound")
    })
  )

  it.effect("has it also when the task is deleted at once", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)] })
      const waiting = yield* Effect.forkChild(events.awaitFinal(id), { startImmediately: true })
      yield* repository.update(id, Lifecycle.cancel(1))
      yield* repository.remove(id)
      assert.strictEqual((yield* Fiber.join(waiting)).failure?.reason, "cancelled")
    })
  )
})

/** Changes are read at once and told later. */
const late = (wait: Effect.Effect<void>) => (repository: StateRepository["Service"]) => ({
  ...repository,
  changes: Stream.tap(repository.changes, () => wait)
})

describe("what can be read before it is told", () => {
  it.effect("is waited for: nothing is told twice, and nothing is left out", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin({ tasks: [submitted(1)], wrap: late(Effect.sleep(10)) })
      const [claimed] = yield* claim(repository)
      const opening = yield* Effect.forkChild(events.followTask(id))
      yield* quiet
      assert.isUndefined(opening.pollUnsafe())
      if (claimed !== undefined) yield* complete(repository, claimed)
      yield* TestClock.adjust(10)
      const { ended, told } = yield* heard(yield* Fiber.join(opening))
      assert.deepStrictEqual(told.map(say), ["PROCESSING 1"])
      assert.isFalse(ended)
      yield* TestClock.adjust(10)
      const again = yield* heard(yield* events.followTask(id, { after: idsOf(told)[0] ?? 0n }))
      assert.deepStrictEqual([again.told.map(say), again.ended], [[`"attempt 1 completed"`, "COMPLETED 1"], true])
    })
  )

  it.effect("before its change has a position is not told again when it has one", () =>
    Effect.gen(function* () {
      // as a claim that is written and not yet synced
      let told = 0
      const { events, repository } = yield* begin({
        tasks: [submitted(1)],
        wrap: (repository) => ({
          ...late(Effect.sleep(10))(repository),
          position: Effect.map(repository.position, (position) => Math.min(position, told))
        })
      })
      yield* claim(repository)
      const following = yield* events.followTask(id)
      assert.deepStrictEqual((yield* heard(following)).told.map(say), ["PROCESSING 1"])
      told = 1
      yield* TestClock.adjust(10)
      assert.deepStrictEqual((yield* heard(following)).told, [])
      yield* logs(repository, id, "next")
      yield* TestClock.adjust(10)
      assert.deepStrictEqual((yield* heard(following)).told.map(say), [`"next"`])
    })
  )
})

describe("when listening to the repository dies", () => {
  it.effect("readers have their end, waiters look again, and it begins anew", () =>
    Effect.gen(function* () {
      let deaths = 1
      const { events, repository } = yield* begin({
        tasks: [submitted(1), submitted(2)],
        wrap: (repository) => ({
          ...repository,
          changes: Stream.tap(repository.changes, () => (deaths-- > 0 ? Effect.die("a bug") : Effect.void))
        })
      })
      const all = yield* events.follow({})
      const waiting = yield* Effect.forkChild(events.awaitFinal(id), { startImmediately: true })
      yield* repository.update(id, Lifecycle.cancel(1))
      yield* quiet
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(waiting)).status, "FAILED")
      assert.isTrue((yield* heard(all)).ended)
      const { told } = yield* heard(yield* events.follow({}, { after: all.begin ?? 0n }))
      assert.deepStrictEqual(told.map(say), [`reset {"PENDING":1,"PROCESSING":0,"COMPLETED":0,"FAILED":1}`])
      const following = yield* events.followTask(idOf(2))
      yield* repository.update(idOf(2), Lifecycle.cancel(1))
      assert.deepStrictEqual((yield* heard(following)).told.map(say), ["PENDING 0", `"cancelled"`, "FAILED 0"])
    })
  )
})

const isFinalStatus = (event: Told): event is Event & { readonly _tag: "Status" } =>
  event._tag === "Status" && ["COMPLETED", "FAILED"].includes(event.task.status)

describe("of a cancel and a result that come together", () => {
  it.effect("exactly one is the final event, a thousand times", () =>
    Effect.gen(function* () {
      const { events, repository } = yield* begin()
      const finals: Array<string> = []
      const race = Effect.fnUntraced(function* (n: number) {
        yield* repository.insert([submitted(n)])
        const [claimed] = yield* claim(repository)
        if (claimed === undefined) return assert.fail("nothing was claimed")
        const following = yield* events.followTask(claimed.id)
        const verdicts = [
          Effect.ignore(repository.update(claimed.id, Lifecycle.cancel(1))),
          Effect.asVoid(complete(repository, claimed))
        ]
        yield* Effect.all(n % 2 === 0 ? verdicts : verdicts.toReversed(), { concurrency: 2 })
        const told: Array<Told> = []
        for (;;) {
          const next = yield* Effect.catch(following.next, () => Effect.succeed(undefined))
          if (next === undefined) break
          told.push(...next)
        }
        const final = told.filter(isFinalStatus)
        assert.lengthOf(final, 1)
        finals.push(...final.map(({ task }) => task.status))
      }, Effect.scoped)
      for (let n = 0; n < 1000; n++) yield* race(n)
      assert.includeMembers(finals, ["FAILED", "COMPLETED"])
    })
  )
})

describe("when some changes may have been left out", () => {
  it.effect("readers have their end and are told reset when they come back; waiters look again at once", () =>
    Effect.gen(function* () {
      const gaps = yield* PubSub.unbounded<void>()
      const isDeaf = yield* Ref.make(false)
      let left = 0
      const { events, repository } = yield* begin({
        tasks: [submitted(1), submitted(2), submitted(3)],
        wrap: (repository) => ({
          ...repository,
          changes: Stream.filterEffect(repository.changes, () => Effect.map(Ref.get(isDeaf), (deaf) => !deaf)),
          position: Effect.map(repository.position, (position) => position + left),
          gaps: Stream.fromPubSub(gaps)
        })
      })
      yield* repository.update(idOf(3), Lifecycle.cancel(1))
      const all = yield* events.follow({})
      const one = yield* events.followTask(id)
      assert.deepStrictEqual((yield* heard(one)).told.map(say), ["PENDING 0"])
      const waiting = yield* Effect.forkChild(events.awaitFinal(id), { startImmediately: true })
      yield* Ref.set(isDeaf, true)
      yield* repository.update(id, Lifecycle.cancel(1))
      yield* quiet
      assert.isUndefined(waiting.pollUnsafe())
      // who has read meanwhile waits until it is told
      const behind = yield* Effect.forkChild(events.followTask(idOf(2)), { startImmediately: true })
      yield* quiet
      assert.isUndefined(behind.pollUnsafe())
      left = 1
      yield* PubSub.publish(gaps, undefined)
      assert.strictEqual((yield* Fiber.join(waiting)).status, "FAILED")
      assert.deepStrictEqual(yield* heard(all), { told: [], ended: true })
      assert.isTrue((yield* heard(one)).ended)
      const { told } = yield* heard(yield* events.follow({}, { after: all.begin ?? 0n }))
      assert.deepStrictEqual(told.map(say), [`reset {"PENDING":1,"PROCESSING":0,"COMPLETED":0,"FAILED":2}`])
      yield* Ref.set(isDeaf, false)
      const following = yield* Fiber.join(behind)
      yield* repository.update(idOf(2), Lifecycle.cancel(1))
      assert.deepStrictEqual((yield* heard(following)).told.map(say), ["PENDING 0", `"cancelled"`, "FAILED 0"])
    })
  )
})
