import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { secret, signatureOf } from "./support/Configured.ts"
import { read } from "./support/Files.ts"
import { directory, isOnPostgres, serve, until } from "./support/Service.ts"
import { serve as receive } from "../adapters/http/servers.ts"

describe("callbacks", { concurrent: true }, () => {
  it.live("tell of the end at least once, over a kill -9 while nobody hears", () =>
    Effect.gen(function* () {
      let isDeaf = true
      const hears = yield* receive((response) => response.writeHead(isDeaf ? 503 : 204).end())
      const settings = {
        VENOM_SIMULATED_DURATION: "0 seconds",
        VENOM_CALLBACK_URL: hears.url,
        VENOM_CALLBACK_SECRET: secret,
        VENOM_CALLBACK_ALLOW_PRIVATE: "true"
      }
      const data = yield* directory
      const before = yield* serve(data, settings)
      const ids = yield* Effect.forEach(Array.from({ length: 20 }), () => before.submit("hello"))
      yield* before.settled
      yield* until("an attempt of the first", before.get(ids[0] ?? ""), ({ callback }) => (callback?.attempts ?? 0) > 0)
      yield* before.kill
      isDeaf = false
      const after = yield* serve(data, settings)
      for (const id of ids) {
        const { callback } = yield* until(
          "it to be told",
          after.get(id),
          ({ callback }) => callback?.state === "delivered"
        )
        assert.isAtLeast(callback?.attempts ?? 0, 1)
      }
      const told = new Set<unknown>()
      while ((yield* hears.count) > 0) {
        const { body, headers } = yield* hears.next
        const { data, type } = JSON.parse(body)
        assert.strictEqual(type, "task.completed")
        assert.strictEqual(
          headers["webhook-signature"],
          signatureOf(headers["webhook-id"], headers["webhook-timestamp"], body)
        )
        told.add(data.id)
      }
      assert.sameMembers([...told], [...ids])
      if (!isOnPostgres) assert.isFalse((yield* read(join(data, "state_dump.json"))).includes(secret))
    })
  )
})
