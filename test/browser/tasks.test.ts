import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { isMissing, launch } from "./chromium.ts"
import { goto, open, Service } from "./Dashboard.ts"

describe.skipIf(isMissing)("the dashboard, in Chromium", () => {
  let service: Service
  let browser: Browser

  beforeAll(async () => {
    service = await Service.begin({ VENOM_ENVIRONMENT: "staging" })
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await service?.end()
  })

  it("shows how the queue stands, and each task with what became of it", async () => {
    await service.done("hello page")
    await service.done("no such mailbox", { type: "fail", max_attempts: 1 })
    await service.submit("next week", { delay: "7 days" })
    const { assertCalm, page } = await open(browser, service)
    await goto(page, service)
    await page.locator(".figure.is-completed", { hasText: "completed" }).getByText("1", { exact: true }).waitFor()
    await page.locator(".row", { hasText: "hello page" }).getByText("completed").waitFor()
    await page.locator(".row", { hasText: "no such mailbox" }).getByText("error no such mailbox").waitFor()
    await page.locator(".row", { hasText: "next week" }).getByText("due in 6 d").waitFor()
    await page.getByText("staging").waitFor()
    assert.strictEqual(await page.title(), "Tasks · staging · Venom")
    assertCalm()
    await page.context().close()
  })

  it("is live: a task comes and ends while one looks", async () => {
    const { assertCalm, page } = await open(browser, service)
    await goto(page, service)
    await page.locator(".row").first().waitFor()
    const id = await service.submit("look at me", { type: "slow" })
    const row = page.locator(".row", { hasText: "look at me" })
    await row.getByText("40 % packing <b>boxes</b>, attempt 1").waitFor()
    await service.ask("POST", `tasks/${id}/cancel`)
    await row.getByText("cancelled on request").waitFor()
    assert.include(await row.textContent(), "failed")
    assertCalm()
    await page.context().close()
  })

  it("has one page for each task: attempts, errors and logs in their order", async () => {
    const id = await service.done("no such mailbox <img src=x onerror=alert(1)>", {
      type: "fail",
      max_attempts: 2,
      backoff: { kind: "fixed", base: "1 second", jitter: 0 }
    })
    const { assertCalm, page } = await open(browser, service)
    await goto(page, service, `tasks/${id}`)
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
    const first = await parts.nth(2).textContent()
    assert.include(first, "asking no such mailbox <img src=x onerror=alert(1)>")
    assert.include(await parts.nth(3).locator(".lasted").textContent(), "1.0 s")
    assertCalm()
    await page.context().close()
  })
})
