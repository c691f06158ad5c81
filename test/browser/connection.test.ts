import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard } from "./Dashboard.ts"

describe.skipIf(isMissing)("when the service dies, the dashboard", () => {
  const { service, visit } = dashboard()

  it("says since when it knows nothing, and goes on by itself when it is back", async () => {
    await service().done("before")
    await visit("tasks", async (page, service) => {
      await page.locator(".row", { hasText: "before" }).waitFor()
      await service.kill()
      const banner = page.locator(".banner")
      await banner.waitFor()
      assert.match((await banner.textContent()) ?? "", /^Connection lost, last update \d\d:\d\d:\d\d\./)
      // what was there is still to be read
      await page.locator(".row", { hasText: "before" }).click()
      await page.getByText("Venom does not answer").waitFor()
      await page.goBack()
      await page.locator(".row", { hasText: "before" }).waitFor()
      await service.again()
      await banner.waitFor({ state: "detached" })
      await service.done("after")
      await page.getByRole("button", { name: "Newer tasks have come" }).click()
      await page.locator(".row", { hasText: "after" }).waitFor()
    })
  })

  it("comes up by itself too, where it was opened too early", async () => {
    await visit("tasks", async (page, service) => {
      await page.route("**/api/v1/session", (route) => route.abort())
      await page.reload()
      await page.getByText("Venom does not answer. Trying again.").waitFor()
      await page.unroute("**/api/v1/session")
      await page.locator(".row", { hasText: "after" }).waitFor()
      assert.isDefined(service.url)
    })
  })

  it("tells of figures that are asked for again and not answered, though the connection stands", async () => {
    await visit("tasks", async (page) => {
      await page.locator(".row", { hasText: "after" }).waitFor()
      const json = { detail: "the upstream is away" }
      await page.route("**/api/v1/queue", (route) => route.fulfill({ status: 502, json }))
      const banner = page.locator(".banner")
      await banner.waitFor()
      assert.match((await banner.textContent()) ?? "", /^Not up to date, last update .*: the upstream is away$/)
      await page.unroute("**/api/v1/queue")
      await banner.waitFor({ state: "detached" })
    })
  })

  it("tells both where it is lost and not ready, and why", async () => {
    await visit("tasks", async (page) => {
      const json = { detail: "recovering 5 of 9 records" }
      await page.route("**/api/v1/events", (route) => route.fulfill({ status: 503, json }))
      await page.route("**/health/ready", (route) => route.fulfill({ status: 503, json }))
      await page.reload()
      await page.locator(".banner", { hasText: "Not ready: recovering 5 of 9 records" }).waitFor()
      await page.locator(".banner", { hasText: "Connection lost" }).waitFor()
      assert.strictEqual(await page.locator(".banner").count(), 2)
    })
  })
})
