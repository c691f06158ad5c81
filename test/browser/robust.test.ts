import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard } from "./Dashboard.ts"

describe.skipIf(isMissing)("the dashboard bears", () => {
  const { service, visit } = dashboard()

  it("a content of a hundred thousand brackets", async () => {
    const content = "[".repeat(50_000) + "]".repeat(50_000)
    const id = await service().submit(content, { delay: "1 hour" })
    await visit(`tasks/${id}`, async (page) => {
      await page.getByRole("button", { name: "Show all of it" }).click()
      await page.getByRole("button", { name: "Show all of it" }).waitFor({ state: "detached" })
      const shown = await page.locator("pre[aria-label=Content]").textContent()
      assert.strictEqual(shown?.replace(/\s/g, ""), content)
    })
  })

  it("what breaks a view: it says so, and the rest of the page stays", async () => {
    const id = await service().done("broken")
    await visit("tasks", async (page) => {
      await page.route(`**/api/v1/tasks/${id}`, (route) => route.fulfill({ json: { id } }))
      await page.locator(".row", { hasText: "broken" }).click()
      await page.getByRole("heading", { name: "This view has broken" }).waitFor()
      await page.unroute(`**/api/v1/tasks/${id}`)
      await page.getByRole("link", { name: "Tasks", exact: true }).click()
      await page.locator(".row", { hasText: "broken" }).click()
      await page.getByRole("heading", { name: "What happened" }).waitFor()
      assert.strictEqual(await page.locator("pre[aria-label=Content]").textContent(), "broken")
    })
  })

  it("filters that are chosen faster than a text is looked for", async () => {
    await visit("tasks", async (page) => {
      await page.clock.install()
      await page.clock.pauseAt(Date.now() + 60_000)
      await page.getByLabel("Text in content").fill("broken")
      await page.getByLabel("Status").selectOption("COMPLETED")
      await page.waitForFunction("location.hash.includes('COMPLETED')")
      await page.clock.runFor(300)
      await page.waitForFunction("location.hash.includes('q=broken')")
      assert.include(page.url(), "status=COMPLETED")
    })
  })

  it("the id of a task where a text is looked for: it leads there", async () => {
    const id = await service().done("named by its id")
    await visit("tasks", async (page) => {
      await page.getByLabel("Text in content").fill(` ${id.toUpperCase()} `)
      await page.locator("code.id").waitFor()
      assert.strictEqual(await page.locator("code.id").textContent(), id)
    })
  })

  it("an answer that is lost: what is changed then is submitted anew", async () => {
    await visit("submit", async (page, service) => {
      let isLost = true
      await page.route("**/api/v1/tasks", async (route) => {
        if (route.request().method() !== "POST" || !isLost) return route.continue()
        isLost = false
        await route.fetch()
        await route.abort()
      })
      await page.getByLabel("Type").fill("echo")
      await page.getByRole("textbox", { name: "Content" }).fill("as it was")
      await page.getByRole("button", { name: "Submit the task" }).click()
      await page.getByText("Venom does not answer").waitFor()
      await page.getByRole("textbox", { name: "Content" }).fill("as it is")
      await page.getByRole("button", { name: "Submit the task" }).click()
      await page.getByRole("heading", { name: "What happened" }).waitFor()
      assert.lengthOf(await service.ask("GET", "tasks?q=as+it+was"), 1)
      assert.lengthOf(await service.ask("GET", "tasks?q=as+it+is"), 1)
    })
  })

  it("a status that there is not: it says that nothing is filtered by it", async () => {
    await visit("tasks?status=BOGUS", async (page) => {
      const said = page.locator("p.trouble")
      assert.strictEqual(await said.textContent(), "There is no status BOGUS: tasks of every status are shown.")
      await page.getByLabel("Status").selectOption("COMPLETED")
      await said.waitFor({ state: "detached" })
    })
  })
})
