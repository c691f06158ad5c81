import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Formatter, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Almost, type Asked, bytesOf, ids, of, pieces, read, refused, submit, tasks } from "./ways/Asked.ts"
import { open, send, timeless, type Way } from "./ways/Way.ts"

class Ways extends Context.Service<Ways, { readonly short: Way; readonly ordinary: Way }>()("test/Ways") {
  static readonly layer = Layer.effect(Ways, Effect.all({ short: open("short"), ordinary: open("ordinary") }))
}

/** What a way says, and what it has asked and logged meanwhile: requests that come together are asked in any order. */
const heard = (way: Way, bytes: ReadonlyArray<Uint8Array>, enough?: RegExp) =>
  Effect.gen(function* () {
    const [asked, logged] = [way.asked.length, way.logged.length]
    const said = timeless(yield* send(way, bytes, enough))
    return {
      said,
      asked: way.asked.slice(asked).sort(([one], [other]) => one.localeCompare(other)),
      logged: way.logged.slice(logged)
    }
  })

/** Asks both ways and sees that they have done and said the same. */
const compare = (bytes: ReadonlyArray<Uint8Array>, enough?: RegExp) =>
  Effect.gen(function* () {
    const ways = yield* Ways
    const short = yield* heard(ways.short, bytes, enough)
    const ordinary = yield* heard(ways.ordinary, bytes, enough)
    assert.deepStrictEqual(short, ordinary, `${Buffer.concat(bytes)}: ${Formatter.formatJson({ short, ordinary })}`)
    return short.said
  })

const wentShort = Effect.map(Ways, ({ ordinary, short }) => {
  assert.isFalse(ordinary.wasShort())
  return short.wasShort()
})

const bodyArrives = (asked: Asked, cuts: ReadonlyArray<number>) => {
  const bytes = bytesOf(asked)
  const body = bytes.length - Buffer.byteLength(asked.body ?? "")
  return pieces(
    bytes,
    cuts.map((cut) => body + cut)
  )
}

layer(Ways.layer)("The short way", (it) => {
  it.effect.prop(
    "is the ordinary way to the byte, whatever is asked and however it arrives",
    [Almost],
    ([almost]) => {
      const bytes = bytesOf(of(almost))
      const cuts = almost.cuts.filter((cut) => cut < bytes.length)
      return compare(pieces(bytes, cuts), /^HTTP\/1.1 101/)
    },
    { timeout: 60_000, arbitrary: { runs: 300 } }
  )

  it.effect("is the ordinary way on a connection that stays", () =>
    Effect.gen(function* () {
      for (const asked of [submit, read, { ...read, target: `${tasks}/${ids.finished}` }]) {
        const text = yield* compare([bytesOf(asked, false)], /\}$/)
        assert.include(text, "Keep-Alive: timeout=60")
        assert.isTrue(yield* wentShort)
      }
    })
  )

  it.effect("answers requests that come all at once in their order", () =>
    Effect.gen(function* () {
      const first = bytesOf(submit, false)
      const bad = bytesOf({ ...submit, body: "{" }, false)
      const all = Buffer.concat([first, bytesOf(read, false), bad, first, bytesOf(read)])
      const text = yield* compare([all])
      assert.deepStrictEqual(
        text.match(/HTTP\/1.1 \d+/g),
        [201, 200, 400, 201, 200].map((status) => `HTTP/1.1 ${status}`)
      )
    })
  )

  it.effect("is the ordinary way where the engine refuses, and the engine is asked once", () =>
    Effect.gen(function* () {
      const { short } = yield* Ways
      const unanswered = [
        ...refused.map((content): Asked => ({ ...submit, body: JSON.stringify({ content }) })),
        ...[ids.unknown, ids.unreadable, ids.defect].map((id): Asked => ({ ...read, target: `${tasks}/${id}` }))
      ]
      for (const asked of unanswered) {
        const before = short.asked.length
        assert.match(yield* compare([bytesOf(asked)]), /^HTTP\/1.1 (404|500|503) /)
        assert.strictEqual(short.asked.length, before + 1)
        assert.isTrue(yield* wentShort)
      }
    })
  )

  it.effect("is taken by what ordinary clients send", () =>
    Effect.gen(function* () {
      const agents: ReadonlyArray<ReadonlyArray<string>> = [
        // curl
        ["User-Agent: curl/8.5.0", "Accept: */*"],
        // fetch in Node
        [
          "accept: */*",
          "accept-language: *",
          "sec-fetch-mode: cors",
          "user-agent: node",
          "accept-encoding: gzip, deflate"
        ],
        // axios
        ["Accept: application/json, text/plain, */*", "User-Agent: axios/1.7.9", "Accept-Encoding: gzip, br"],
        // Python's requests
        ["User-Agent: python-requests/2.32", "Accept-Encoding: gzip, deflate", "Accept: */*"],
        // Go's net/http
        ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"]
      ]
      for (const agent of agents) {
        for (const asked of [submit, read, { ...read, target: `${tasks}/${ids.late}` }]) {
          yield* compare([bytesOf({ ...asked, headers: [...asked.headers, ...agent] })])
          assert.isTrue(yield* wentShort, agent.join(", "))
        }
      }
    })
  )

  it.effect("is taken by a task with every wish, and not by what asks for more than a task", () =>
    Effect.gen(function* () {
      const wishes = `"timeout":"1 minute","backoff":{"kind":"fixed"},"deadline":"2999-01-01T00:00:00.000Z"`
      const keys = `"concurrency_key":"a","unique_key":"b","retention":"1 day","delay":5`
      yield* compare([bytesOf({ ...submit, body: `{"content":"a",${wishes},${keys}}` })])
      assert.isTrue(yield* wentShort)
      const more: ReadonlyArray<readonly [Asked, RegExp]> = [
        [{ ...submit, headers: [...submit.headers, "Idempotency-Key: new"] }, /^HTTP\/1.1 201 (?![^]*idempotency)/],
        [{ ...submit, headers: [...submit.headers, "Idempotency-Key: old"] }, /201 [^]*\r\nidempotency-replayed: true/],
        [{ ...submit, headers: [...submit.headers, "Idempotency-Key: a b"] }, /^HTTP\/1.1 400 /],
        [{ ...submit, headers: [...submit.headers, "Prefer: wait=0"] }, /^HTTP\/1.1 201 /],
        [{ ...submit, body: `{"copy_of":"${ids.waiting}"}` }, /^HTTP\/1.1 404 /],
        [{ ...submit, body: `{"content":"a","copy_of":"${ids.waiting}"}` }, /^HTTP\/1.1 404 /]
      ]
      for (const [asked, answer] of more) {
        assert.match(yield* compare([bytesOf(asked)]), answer)
        const { short } = yield* Ways
        assert.isFalse(short.wasShort())
      }
    })
  )

  it.effect("is taken by a body that comes after its headers, not by one that comes in pieces", () =>
    Effect.gen(function* () {
      yield* compare(bodyArrives(submit, [0]))
      assert.isTrue(yield* wentShort)
      yield* compare(bodyArrives(submit, [0, 5]))
      yield* compare(bodyArrives(submit, [5]))
      // what has come is not yet all
      const surplus = yield* compare(bodyArrives({ ...submit, body: `{"content":"a"} {}` }, [0, 15]))
      assert.match(surplus, /^HTTP\/1.1 400 /)
    })
  )
})

describe("A body over the limit", () => {
  it.effect("is refused as on the ordinary way", () =>
    Effect.gen(function* () {
      for (const kind of ["short", "ordinary"] as const) {
        const way = yield* open(kind, {}, { maxBody: 20 })
        assert.match(yield* send(way, [bytesOf(submit)]), /^HTTP\/1.1 413 /)
        assert.match(yield* send(way, [bytesOf({ ...submit, body: `{"content":"12345"}` })]), /^HTTP\/1.1 201 /)
      }
    })
  )
})

const stuck = Effect.gen(function* () {
  const arrived = yield* Deferred.make<void>()
  const interrupted = yield* Deferred.make<void>()
  const waits = Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never).pipe(
    Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
  )
  return { arrived, interrupted, waits }
})

describe("What the engine takes its time for", () => {
  it.effect("is read for nobody once the client hangs up", () =>
    Effect.gen(function* () {
      const { arrived, interrupted, waits } = yield* stuck
      const way = yield* open("short", { get: () => waits })
      const answer = yield* Effect.forkChild(send(way, [bytesOf(read)]), { startImmediately: true })
      yield* Deferred.await(arrived)
      assert.isTrue(way.wasShort())
      yield* Fiber.interrupt(answer)
      yield* Deferred.await(interrupted)
      assert.lengthOf(way.asked, 1)
    })
  )

  it.live("is answered with a 503 when the service stops without it", () =>
    Effect.gen(function* () {
      const { arrived, waits } = yield* stuck
      const scope = yield* Scope.make()
      const way = yield* open("short", { get: () => waits }, { closeGrace: Duration.millis(20) }).pipe(
        Scope.provide(scope)
      )
      const answer = yield* Effect.forkChild(send(way, [bytesOf(read)]), { startImmediately: true })
      yield* Deferred.await(arrived)
      yield* Scope.close(scope, Exit.void)
      assert.match(yield* Fiber.join(answer), /^HTTP\/1.1 503 [^]*The service is stopping/)
      assert.lengthOf(way.asked, 1)
    })
  )

  it.effect("is taken whole before the service ends, though nobody waits for it any more", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const mayGoOn = yield* Deferred.make<void>()
      let taken = false
      const slowly = Deferred.succeed(arrived, undefined).pipe(
        Effect.andThen(Deferred.await(mayGoOn)),
        Effect.andThen(Effect.sync(() => (taken = true))),
        Effect.andThen(Effect.die("nobody hears this"))
      )
      const scope = yield* Scope.make()
      const way = yield* open("short", { submit: () => slowly }, { closeGrace: Duration.seconds(5) }).pipe(
        Scope.provide(scope)
      )
      const answer = yield* Effect.forkChild(send(way, [bytesOf(submit)]), { startImmediately: true })
      yield* Deferred.await(arrived)
      yield* Fiber.interrupt(answer)
      const stopping = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("5 seconds")
      assert.isFalse(taken)
      yield* Deferred.succeed(mayGoOn, undefined)
      yield* Fiber.join(stopping)
      assert.isTrue(taken)
    })
  )

  it.effect("has a line in the log, and only one", () =>
    Effect.gen(function* () {
      const late = yield* Effect.all(
        (["short", "ordinary"] as const).map((kind) =>
          open(kind, {
            get: () => Effect.andThen(TestClock.adjust("1500 millis"), Effect.die("after all")),
            submit: () => Effect.andThen(TestClock.adjust("1500 millis"), Effect.die("after all"))
          })
        )
      )
      for (const way of late) {
        for (const asked of [read, submit]) yield* send(way, [bytesOf(asked)])
        assert.lengthOf(
          way.logged.filter((line) => line.includes("took 1500 ms")),
          2
        )
      }
    })
  )
})
