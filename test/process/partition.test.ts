import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import process from "node:process"
import type { TestContext } from "vitest"
import * as Network from "../cluster/Network.ts"
import * as Postgres from "../support/Postgres.ts"
import { directory, serve, until } from "./support/Service.ts"
import { problemIn } from "./support/Wire.ts"

const lease = 2000

/** Where this user may not make networks the test is skipped, aloud; in CI it must not be. */
const mayMakeNetworks = (test: TestContext): void => {
  const why = Network.obstacle()
  if (why === undefined) return
  if ((process.env["CI"] ?? "") !== "") throw new Error(`In CI nothing is skipped: ${why}`)
  test.skip(why)
}

describe("a cable between a node and the database that is out", () => {
  beforeEach(mayMakeNetworks)

  for (const seconds of [5, 45]) {
    it.live(
      `for ${seconds} seconds costs its lease: others go on, and so does the node when it is in again`,
      () =>
        Effect.gen(function* () {
          const network = yield* Network.make
          const postgres = yield* Postgres.make({ network: network.range })
          const url = new URL(yield* postgres.database)
          url.hostname = network.database
          const node = Effect.fnUntraced(function* (name: string, n: number) {
            const place = yield* network.place(n)
            const settings = {
              VENOM_STORE: "postgres",
              VENOM_DATABASE_URL: url.href,
              VENOM_NODE_NAME: name,
              VENOM_LEASE: `${lease} millis`,
              VENOM_HOST: place.address,
              VENOM_ALLOW_OPEN: "true",
              VENOM_RUNNER: "command",
              VENOM_COMMAND: `sh -c 'read -r what; case $what in long) sleep 1000;; esac; echo $WHO'`,
              WHO: name
            }
            return { place, service: yield* serve(yield* directory, settings, place.within) }
          })
          const a = yield* node("a", 0)
          const long = yield* a.service.submit("long")
          yield* a.service.reaches(long, "PROCESSING")
          const b = yield* node("b", 1)
          // every claim locks the flow: the one that is cut off may hold it
          const limits = yield* b.service.ask({
            method: "PUT",
            path: "/api/v1/queue/limits",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ types: { default: { concurrency: 4 } } })
          })
          assert.strictEqual(limits.status, 200, limits.text)
          const cut = performance.now()
          yield* a.place.cut(true)
          const again = yield* until("the next attempt", b.service.get(long), ({ attempt }) => attempt === 2)
          assert.isAtMost(performance.now() - cut, lease + 1500)
          assert.strictEqual(again.status, "PROCESSING")
          yield* a.service.heard(/The lease of this node is over/)
          const other = yield* b.service.reaches(yield* b.service.submit("short"), "COMPLETED")
          assert.strictEqual(other.result?.trim(), "b")
          yield* problemIn(yield* a.service.ready, 503)
          yield* Effect.sleep(cut + seconds * 1000 - performance.now())
          yield* a.place.cut(false)
          const mended = performance.now()
          yield* until("it to be ready", a.service.ready, ({ status }) => status === 200)
          assert.isAtMost(performance.now() - mended, 10_000)
          const after = yield* a.service.submit("short")
          yield* a.service.reaches(after, "COMPLETED")
          assert.include(yield* a.service.get(long), { attempt: 2, status: "PROCESSING" })
          assert.isAtMost(performance.now() - mended, 15_000)
        }).pipe(Effect.scoped),
      120_000
    )
  }
})
