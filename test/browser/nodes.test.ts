import { it } from "@effect/vitest"
import { Effect } from "effect"
import { assert, describe } from "vitest"
import * as Cluster from "../process/support/Cluster.ts"
import { isMissing, launch } from "./chromium.ts"
import { shoot } from "./Dashboard.ts"

describe.skipIf(isMissing)("where several nodes share the queue, the dashboard", () => {
  it.live("tells who is alive and what runs where, and who has died", () =>
    Effect.gen(function* () {
      const cluster = yield* Cluster.make({ VENOM_SIMULATED_DURATION: "1 hour", VENOM_LEASE: "2 seconds" })
      const [a, b] = yield* Effect.all([cluster.node("anna"), cluster.node("bert", { VENOM_CONCURRENCY: "3" })])
      yield* b.submit("something long")
      const browser = yield* Effect.acquireRelease(Effect.promise(launch), (browser) =>
        Effect.promise(() => browser.close())
      )
      const page = yield* Effect.promise(() => browser.newPage())
      page.setDefaultTimeout(30_000)
      yield* Effect.promise(async () => {
        await page.goto(`${a.url}/#/tasks`)
        await page.getByRole("link", { name: "Nodes" }).click()
        await page.getByRole("row", { name: /^anna .*alive/ }).waitFor()
        await page.getByRole("row", { name: /^bert .*alive.* of 3 / }).waitFor()
        assert.include((await page.locator("tbody").textContent()) ?? "", "1 of ")
        await shoot(page, "nodes-desktop-light")
      })
      yield* b.kill
      yield* Effect.promise(async () => {
        await page.getByRole("row", { name: /^bert .*dead/ }).waitFor()
        await page.getByRole("link", { name: "Storage" }).click()
        await page.getByText("PostgreSQL", { exact: true }).waitFor()
      })
    })
  )
})
