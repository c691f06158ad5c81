import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { eventsOf, openStreamAt, type SseEvent } from "../server/sse.ts"
import { directory, isOnPostgres, serve, type Service } from "./support/Service.ts"

const settings = { VENOM_SIMULATED_DURATION: "30 millis", VENOM_CONCURRENCY: "2" }

const stream = (venom: Service, path: string, lastEventId: string | undefined) =>
  openStreamAt(
    Number(new URL(venom.url).port),
    `/api/v1${path}`,
    lastEventId === undefined ? {} : { "last-event-id": lastEventId }
  )

const statusOf = ({ data }: SseEvent) => `${data["status"]}`

/** It comes back with the last id it has, and reads how all stands when it is new or told `reset`. */
class Reader {
  readonly seen = new Map<string, string>()
  readonly ids: Array<bigint> = []
  resets = 0

  /** The place to come back to; every id that came counts, also one without an event. */
  get lastId(): string | undefined {
    return this.ids.at(-1)?.toString()
  }

  /** Reads in one life of the service until the reader has seen enough. */
  readonly follow: (venom: Service, enough: () => boolean) => Effect.Effect<void, unknown, Scope.Scope> =
    Effect.fnUntraced(function* (this: Reader, venom: Service, enough: () => boolean) {
      const from = this.lastId
      const { until } = yield* stream(venom, "/events", from)
      let read = 0
      let isStale = false
      const look = (text: string): boolean => {
        const whole = text.slice(0, text.lastIndexOf("\n\n") + 2)
        const news = whole.slice(read)
        read = whole.length
        const ids = Array.from(news.matchAll(/^id: (\d+)$/gm), ([, id]) => id ?? "")
        // the place that it goes on at is told again
        if (read === news.length && ids[0] === from) ids.shift()
        this.ids.push(...ids.map(BigInt))
        for (const event of eventsOf(news)) {
          if (event.event === "reset") {
            this.resets++
            isStale = true
          }
          if (event.event === "status") this.seen.set(`${event.data["task_id"]}`, statusOf(event))
        }
        return isStale || (read > 0 && enough())
      }
      yield* until(look)
      while (isStale) {
        isStale = false
        for (const { id, status } of yield* venom.list) this.seen.set(id, status)
        yield* until(look)
      }
    }).bind(this)
}

describe("a stream of events across restarts", { concurrent: true }, () => {
  it.live("of all tasks: who comes back with the last id has missed nothing, or is told reset", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const reader = new Reader()
      const submitted: Array<string> = []
      const lives = 5
      for (let life = 0; life < lives; life++) {
        const venom = yield* serve(data, settings)
        let finishedBefore = -1
        const finished = () => Array.from(reader.seen.values()).filter((status) => status === "COMPLETED").length
        const work = Effect.gen(function* () {
          for (let n = 0; n < 10; n++) submitted.push(yield* venom.submit(`${life} ${n}`))
        })
        yield* Effect.all(
          [
            work,
            reader.follow(venom, () => {
              if (finishedBefore < 0) finishedBefore = finished()
              // in the middle of the work, and in the last life at its end
              return life < lives - 1 ? finished() > finishedBefore + 4 : finished() === 10 * lives
            })
          ],
          { concurrency: 2 }
        ).pipe(Effect.scoped)
        yield* life % 2 === 0 ? venom.kill : Effect.asVoid(venom.stop)
      }
      assert.deepStrictEqual(Array.from(reader.seen.keys()).toSorted(), submitted.toSorted())
      assert.deepStrictEqual(new Set(reader.seen.values()), new Set(["COMPLETED"]))
      assert.isAtMost(reader.resets, lives - 1)
      for (const [at, id] of reader.ids.entries()) if (at > 0) assert.isTrue(id > (reader.ids[at - 1] ?? 0n), `${id}`)
    })
  )

  it.live("of one task: it goes on, or begins with reset and the present state, and ends after the final event", () =>
    Effect.gen(function* () {
      const data = yield* directory
      const first = yield* serve(data, { ...settings, VENOM_SIMULATED_DURATION: "1 hour" })
      const id = yield* first.submit("long work")
      const path = `/tasks/${id}/events`
      const before = yield* Effect.scoped(
        Effect.flatMap(stream(first, path, undefined), ({ until }) => until((text) => text.includes("PROCESSING")))
      )
      const last = eventsOf(before).at(-1)
      assert.strictEqual(last === undefined ? "" : statusOf(last), "PROCESSING")
      yield* first.kill

      const second = yield* serve(data, settings)
      const after = yield* Effect.scoped(Effect.flatMap(stream(second, path, last?.id), ({ end }) => end))
      const told = eventsOf(after)
      assert.strictEqual(told[0]?.event, isOnPostgres ? "log" : "reset")
      assert.strictEqual(told.at(-1)?.event, "status")
      assert.deepStrictEqual(
        told
          .filter(({ event }) => event === "status")
          .map(statusOf)
          .at(-1),
        "COMPLETED"
      )
      assert.isTrue(BigInt(told[0]?.id ?? 0) > BigInt(last?.id ?? 0))
      yield* second.stop

      // who has the final event and comes back is told that nothing will come
      const third = yield* serve(data, settings)
      const final = eventsOf(yield* Effect.scoped(Effect.flatMap(stream(third, path, undefined), ({ end }) => end))).at(
        -1
      )
      const { response } = yield* Effect.scoped(stream(third, path, final?.id))
      assert.strictEqual(response.statusCode, 204)
    })
  )

  it.live("an orderly stop ends the streams, and the service does not wait for them", () =>
    Effect.gen(function* () {
      const venom = yield* serve(yield* directory, settings)
      const all = yield* stream(venom, "/events", undefined)
      const { code } = yield* venom.stop
      assert.strictEqual(code, 0)
      yield* all.end
    }).pipe(Effect.scoped)
  )
})
