import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard } from "./Dashboard.ts"

describe.skipIf(isMissing)("from the dashboard", () => {
  const { service, visit } = dashboard({ VENOM_RETENTION: "3 days" })

  it("the queue and a type are paused and resumed, and a banner tells of it on every view", async () => {
    await service().done("something")
    await visit("queue", async (page, service) => {
      const press = (name: string) => page.getByRole("button", { name, exact: true }).click()
      await press("Pause the queue")
      await page.getByText("The queue is paused").waitFor()
      assert.isTrue((await service.ask("GET", "queue")).paused)
      await page.getByRole("link", { name: "Storage" }).click()
      await page.getByText("The queue is paused").waitFor()
      await page.getByRole("link", { name: "Queue" }).first().click()
      await press("Resume the queue")
      await page.getByText("The queue is paused").waitFor({ state: "detached" })
      await press("Pause echo")
      await page.getByText("Paused: echo").waitFor()
      await press("Resume echo")
      await page.getByText("Paused: echo").waitFor({ state: "detached" })
      const { paused, types } = await service.ask("GET", "queue")
      assert.deepStrictEqual([paused, types[0].paused], [false, false])
    })
  })

  it("limits are set and lifted, and what is wrong with one is told", async () => {
    await visit("queue", async (page, service) => {
      const limits = page.getByRole("form", { name: "Limits" })
      const save = () => limits.getByRole("button", { name: "Set the limits" }).click()
      await limits.getByLabel("All attempts at once").fill("many")
      await save()
      assert.include(await limits.getByRole("alert").textContent(), "concurrency")
      await limits.getByLabel("All attempts at once").fill("9")
      await limits.getByRole("button", { name: "Add a type" }).click()
      await limits.getByLabel("type", { exact: true }).fill("echo")
      await limits.getByLabel("at once", { exact: true }).fill("3")
      await limits.getByLabel("begun").fill("100")
      await limits.getByLabel("within").fill("1 minute")
      await save()
      await page.locator("td", { hasText: "3 at once, 100 in 1 minute" }).waitFor()
      assert.deepStrictEqual(await service.ask("GET", "queue/limits"), {
        concurrency: 9,
        types: { echo: { concurrency: 3, rate: { limit: 100, per: "1 minute" } } },
        keys: {}
      })
      await limits.getByRole("button", { name: "Remove echo" }).click()
      await limits.getByLabel("All attempts at once").fill("")
      await save()
      await page.getByRole("row", { name: /^echo/ }).getByText("none").waitFor()
      assert.deepStrictEqual(await service.ask("GET", "queue/limits"), { types: {}, keys: {} })
    })
  })

  it("schedules are made, paused, changed and deleted", async () => {
    await visit("schedules", async (page, service) => {
      const press = (name: string) => page.getByRole("button", { name, exact: true }).click()
      await press("New schedule")
      await page.getByLabel("Name").fill("nightly")
      await page.getByLabel("Cron").fill("not a time")
      await page.getByLabel("Type of its tasks").fill("echo")
      await page.getByLabel("Content of its tasks").fill("report")
      await press("Make the schedule")
      assert.include(await page.getByRole("alert").textContent(), "cron")
      await page.getByLabel("Cron").fill("0 3 * * *")
      await page.getByLabel("Time zone").fill("Europe/Berlin")
      await press("Make the schedule")
      await page.getByText("0 3 * * * Europe/Berlin").waitFor()
      await press("Pause")
      await page.getByText("no next run").waitFor()
      await press("Change")
      await page.getByLabel("By").selectOption("interval")
      await page.getByLabel("Every").fill("15 minutes")
      await press("Change the schedule")
      await page.getByText("every 15 minutes").waitFor()
      const [{ cron, every, paused, task }] = await service.ask("GET", "schedules")
      assert.deepStrictEqual(
        [cron, every, paused, task],
        [undefined, "15 minutes", true, { type: "echo", content: "report" }]
      )
      await press("Delete")
      await press("Delete the schedule")
      await page.getByText("There is no schedule.").waitFor()
      assert.deepStrictEqual(await service.ask("GET", "schedules"), [])
    })
  })

  it("one sees what fails most, how the last hour was, and where it is all kept", async () => {
    for (const content of ["no route to 10.0.0.1", "no route to 10.0.0.2", "no such mailbox"]) {
      await service().done(content, { type: "fail", max_attempts: 1 })
    }
    await visit("failures", async (page) => {
      const first = page.locator(".failure").first()
      await first.getByText("2×").waitFor()
      await first.getByText("no route to 10.0.0.2").waitFor()
      await first.getByRole("link").nth(1).click()
      await page.getByRole("heading", { name: "It failed: error" }).waitFor()
    })
    await visit("charts", async (page) => {
      const throughput = page.getByRole("img", { name: /^Throughput, tasks per minute/ })
      await throughput.waitFor()
      assert.match((await throughput.getAttribute("aria-label")) ?? "", /failed: \d+ in the last minute, at most \d+/)
      const failures = page.getByRole("figure", { name: /^Failures by reason/ })
      await failures.getByText("As a table").click()
      await failures.getByRole("columnheader", { name: "error" }).waitFor()
      const numbers = await failures.locator("td").allTextContents()
      assert.strictEqual(
        numbers.reduce((sum, text) => sum + (Number(text) || 0), 0),
        3
      )
    })
    await visit("storage", async (page) => {
      await page.getByText("files on this machine").waitFor()
      await page
        .getByRole("row", { name: /^journal-\d+\.jsonl/ })
        .first()
        .waitFor()
      await page.getByText("for 3 d").first().waitFor()
      assert.match((await page.locator("dl.facts").textContent()) ?? "", /Next prunein 2 d/)
      // one process alone is no node among others
      assert.strictEqual(await page.getByRole("link", { name: "Nodes" }).count(), 0)
    })
  })
})
