import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard } from "./Dashboard.ts"

describe.skipIf(isMissing)("the dashboard, in Chromium", () => {
  const { service, visit } = dashboard({ VENOM_ENVIRONMENT: "staging" })

  it("shows how the queue stands, and each task with what became of it", async () => {
    await service().done("hello page")
    await service().done("no such mailbox", { type: "fail", max_attempts: 1 })
    await service().submit("next week", { delay: "7 days" })
    await visit("tasks", async (page) => {
      await page.locator(".figure.is-completed", { hasText: "completed" }).getByText("1", { exact: true }).waitFor()
      await page.locator(".row", { hasText: "hello page" }).getByText("completed").waitFor()
      await page.locator(".row", { hasText: "no such mailbox" }).getByText("error no such mailbox").waitFor()
      await page.locator(".row", { hasText: "next week" }).getByText("due in 6 d").waitFor()
      await page.getByText("staging").waitFor()
      assert.strictEqual(await page.title(), "Tasks · staging · Venom")
      assert.match((await page.locator(".figure", { hasText: "saved" }).textContent()) ?? "", /\d s ago$/)
      const exact = await page.locator(".row .age time").first().getAttribute("title")
      assert.match(exact ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d here, \d{4}-.*Z$/)
    })
  })

  it("is live: a task comes and ends while one looks", async () => {
    await visit("tasks", async (page, service) => {
      await page.locator("[data-row]").first().waitFor()
      const id = await service.submit("look at me", { type: "slow" })
      const row = page.locator(".row", { hasText: "look at me" })
      await row.getByText("40 % packing <b>boxes</b>, attempt 1").waitFor()
      await service.ask("POST", `tasks/${id}/cancel`)
      await row.getByText("cancelled on request").waitFor()
      assert.include(await row.textContent(), "failed")
    })
  })

  it("keeps the list still while a task is selected, and tells that there are newer ones", async () => {
    await visit("tasks", async (page, service) => {
      const row = page.locator(".row", { hasText: "hello page" })
      await row.focus()
      await service.done("newer")
      const newer = page.getByRole("button", { name: "Newer tasks have come" })
      await newer.waitFor()
      assert.strictEqual(await page.locator(".row", { hasText: "newer" }).count(), 0)
      assert.isTrue(await row.evaluate((element) => element.matches(":focus")))
      await newer.click()
      await page.locator(".row", { hasText: "newer" }).first().waitFor()
    })
  })

  it("has its whole view in the URL, and keyset pages", async () => {
    const tasks = Array.from({ length: 60 }, (_, n) => ({ content: `page ${n}`, type: "echo", tags: ["paged"] }))
    await service().ask("POST", "tasks/bulk", { tasks })
    await visit("tasks?tag=paged&status=COMPLETED", async (page) => {
      const rows = page.locator("[data-row]")
      await rows.nth(49).waitFor()
      assert.include(await rows.first().textContent(), "page 59")
      await page.getByRole("link", { name: "Older" }).click()
      await page.locator(".row", { hasText: "page 0" }).waitFor()
      assert.strictEqual(await rows.count(), 10)
      assert.match(new URL(page.url()).hash, /^#\/tasks\?status=COMPLETED&tag=paged&cursor=[\w-]+$/)
      await page.goBack()
      await rows.nth(49).waitFor()
      await page.getByLabel("Text in content").fill("page 7")
      await rows.nth(1).waitFor({ state: "detached" })
      assert.include(await rows.first().textContent(), "page 7")
      assert.strictEqual(new URL(page.url()).hash, "#/tasks?status=COMPLETED&tag=paged&q=page+7")
      await page.reload()
      await page.locator(".row", { hasText: "page 7" }).waitFor()
      assert.strictEqual(await rows.count(), 1)
      assert.strictEqual(await page.getByLabel("Tag").inputValue(), "paged")
      await rows.first().click()
      await page.getByRole("link", { name: "← Tasks" }).click()
      await page.locator("[data-row=selected]", { hasText: "page 7" }).waitFor()
      assert.strictEqual(new URL(page.url()).hash, "#/tasks?status=COMPLETED&tag=paged&q=page+7")
    })
  })

  it("has one page for each task: attempts, errors and logs in their order", async () => {
    const id = await service().done("no such mailbox <img src=x onerror=alert(1)>", {
      type: "fail",
      max_attempts: 2,
      backoff: { kind: "fixed", base: "1 second", jitter: 0 }
    })
    await visit(`tasks/${id}`, async (page) => {
      await page.getByRole("heading", { name: "It failed: error, after 2 attempts" }).waitFor()
      const parts = page.locator(".parts > li")
      await parts.nth(5).waitFor()
      assert.deepStrictEqual(await parts.locator("strong").allTextContents(), [
        "Submitted",
        "Waiting",
        "Attempt 1 failed",
        "Waiting after attempt 1",
        "Attempt 2 failed",
        "Failed: error"
      ])
      assert.include(await parts.nth(2).textContent(), "asking no such mailbox <img src=x onerror=alert(1)>")
      assert.include(await parts.nth(3).locator(".lasted").textContent(), "1.0 s")
    })
  })

  it("tells why a task waits, and what one that runs is doing", async () => {
    const waiting = await service().submit("next year", { delay: "365 days" })
    await visit(`tasks/${waiting}`, async (page) => {
      await page.getByRole("heading", { name: "Why is it not running?" }).waitFor()
      await page.getByText(/^not due until 20\d\d-/i).waitFor()
    })
    await service().ask("POST", "queue/pause", { type: "echo" })
    const held = await service().submit("held")
    await visit(`tasks/${held}`, async (page, service) => {
      await page.getByText("type echo is paused").waitFor()
      await service.ask("POST", "queue/resume", { type: "echo" })
      await page.locator(".status.is-completed").waitFor()
      assert.strictEqual(await page.locator(".why").count(), 0)
    })
    const running = await service().submit("hard at work", { type: "slow" })
    await visit(`tasks/${running}`, async (page) => {
      await page.getByText("Attempt 1 is running").waitFor()
      await page.getByText(/^attempt 1 of 5 has been running for .*, 40 % packing/i).waitFor()
    })
    await service().ask("POST", `tasks/${running}/cancel`)
  })
})
