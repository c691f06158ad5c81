import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Logger, Queue, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import * as Database from "../../../src/adapters/postgres/Database.ts"
import * as Nodes from "../../../src/adapters/postgres/Nodes.ts"
import * as statements from "../../../src/adapters/postgres/statements/nodes.ts"
import * as RandomBytes from "../../../src/host/RandomBytes.ts"

interface Asked {
  readonly what: "join" | "beat"
  readonly id: unknown
}

/** Answers what nodes ask; all else has no answer. */
const answering = (answer: (asked: Asked) => Effect.Effect<object>) => {
  const execute = (text: string, [id]: ReadonlyArray<unknown>) => {
    if (text === statements.join) return Effect.map(answer({ what: "join", id }), (row) => [row])
    if (text === statements.beat) return Effect.map(answer({ what: "beat", id }), (row) => [row])
    return Effect.succeed([])
  }
  return SqlClient.make({
    acquirer: Effect.succeed({
      execute,
      executeRaw: execute,
      executeUnprepared: execute,
      executeValues: () => Effect.succeed([]),
      executeValuesUnprepared: () => Effect.succeed([]),
      executeStream: () => Stream.empty
    }),
    driver: "none",
    compiler: PgClient.makeCompiler(),
    spanAttributes: []
  }).pipe(Effect.map(Database.make), Effect.provide(Reactivity.layer))
}

describe("a node", () => {
  // a lease is held to the machine's own monotonic clock: no other can be trusted with it
  it.live("that hears of its lease when that is over joins anew: the answer was for the id that it had", () =>
    Effect.gen(function* () {
      const asked = yield* Queue.unbounded<Asked>()
      const isLost = yield* Deferred.make<void>()
      let beats = 0
      const database = yield* answering((one) =>
        Effect.gen(function* () {
          yield* Queue.offer(asked, one)
          if (one.what === "beat" && ++beats === 3) yield* Deferred.await(isLost)
          // what comes late is followed by the next one at once
          return { alive: true, leads: false, now: Date.now(), next: beats === 3 ? 1 : null }
        })
      )
      yield* Nodes.make(database, database, { lease: "1500 millis" }, () => Deferred.doneUnsafe(isLost, Effect.void))
      const all = yield* Effect.all(Array.from({ length: 6 }, () => Queue.take(asked)))
      assert.deepStrictEqual(
        all.map(({ what }) => what),
        ["join", "beat", "beat", "beat", "join", "beat"]
      )
      const [first, , , , next] = all
      assert.deepStrictEqual(
        all.map(({ id }) => id),
        [first?.id, first?.id, first?.id, first?.id, next?.id, next?.id]
      )
      assert.notStrictEqual(first?.id, next?.id)
    }).pipe(Effect.scoped, Effect.provide([RandomBytes.layer, Logger.layer([])]))
  )
})
