import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { serve as receive } from "../adapters/http/servers.ts"
import { secret } from "./support/Configured.ts"
import { dashboard, expressions, namesIn, namesOf, text, variables } from "./support/Monitoring.ts"
import { directory, serve, until } from "./support/Service.ts"

describe("docs/monitoring", () => {
  it.live("names only metrics that a service has", () =>
    Effect.gen(function* () {
      const receiver = yield* receive((response) => response.end())
      const venom = yield* serve(yield* directory, {
        VENOM_SIMULATED_DURATION: "0 millis",
        VENOM_CALLBACK_URL: receiver.url,
        VENOM_CALLBACK_SECRET: secret,
        VENOM_CALLBACK_ALLOW_PRIVATE: "true"
      })
      yield* venom.submit("hello")
      const { text: metrics } = yield* until("a callback", venom.ask({ path: "/metrics" }), ({ text }) =>
        text.includes("venom_callbacks_total{")
      )
      const known = namesOf(metrics)
      const named = namesIn([text("alerts.yml"), ...expressions, ...variables].join("\n"))
      assert.isAbove(named.size, 20)
      assert.deepStrictEqual(
        [...named].filter((name) => !known.has(name)),
        []
      )
      // and the other way round: whatever a service has is on the dashboard
      const drawn = namesIn(expressions.join("\n"))
      const missing = [...known].filter((name) => !name.endsWith("_bucket") && !name.endsWith("_count"))
      assert.deepStrictEqual(
        missing.filter((name) => !drawn.has(name) && !drawn.has(name.replace(/_sum$/, "_bucket"))),
        []
      )
    })
  )

  it("has a dashboard whose panels have a number and a place of their own", () => {
    const { panels } = dashboard
    assert.lengthOf(new Set(panels.map(({ id }) => id)), panels.length)
    const taken = new Set<string>()
    for (const { gridPos, title } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.isBelow(x, 24)
          assert.isFalse(taken.has(`${x} ${y}`), `${title} is on another panel`)
          taken.add(`${x} ${y}`)
        }
    }
  })

  it("says in docs/operations.md what each alert means", () => {
    const alerts = [...text("alerts.yml").matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
    assert.isNotEmpty(alerts)
    const told = [...text("../operations.md").matchAll(/^\| `(Venom[A-Z]\w+)` \|/gm)].map(([, name]) => name)
    assert.deepStrictEqual(told, alerts)
  })
})
