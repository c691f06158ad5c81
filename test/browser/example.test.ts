import { tmpdir } from "node:os"
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Example from "../process/support/Example.ts"
import { isMissing, launch } from "./chromium.ts"

describe.skipIf(isMissing)("examples/browser, in Chromium", () => {
  let service: Example.Example | undefined
  let browser: Browser | undefined

  beforeAll(async () => {
    service = await Example.start("browser/main", tmpdir())
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    if (service !== undefined) await Example.end(service, "SIGKILL")
  })

  it("a page submits a typed task and awaits its result, or its failure", async () => {
    const page = await browser?.newPage()
    const url = service?.url
    assert.isDefined(page)
    assert.isDefined(url)
    const errors: Array<string> = []
    page.on("pageerror", ({ message }) => errors.push(message))
    await page.goto(url)
    const counted = async (text: string) => {
      await page.fill("textarea", text)
      await page.click("button")
    }
    await counted("to be or not to be")
    await page.getByText("6 words", { exact: true }).waitFor()
    await counted("  ")
    await page.getByText("There is nothing to count", { exact: true }).waitFor()
    assert.deepStrictEqual(errors, [])
    const tasks = await (await fetch(`${url}/queue/api/v1/tasks`)).text()
    assert.sameMembers(
      Array.from(tasks.matchAll(/"status":"(\w+)"/g), ([, status]) => status),
      ["COMPLETED", "FAILED"]
    )
  })

  it("the dashboard is below the prefix of the queue, and finds all that it asks for there", async () => {
    const page = await browser?.newPage()
    const url = service?.url
    assert.isDefined(page)
    assert.isDefined(url)
    const outside: Array<string> = []
    page.on("request", (request) => {
      if (!request.url().startsWith(`${url}/queue`)) outside.push(request.url())
    })
    await page.goto(`${url}/queue#/tasks?status=FAILED`)
    await page.locator("[data-row]").getByText("There is nothing to count").waitFor()
    assert.strictEqual(page.url(), `${url}/queue/#/tasks?status=FAILED`)
    await page.keyboard.press("n")
    await page.getByLabel("Type").fill("count-words")
    await page.getByLabel("text").fill("below a prefix")
    await page.getByRole("button", { name: "Submit the task" }).click()
    await page.locator("pre", { hasText: '"words": 3' }).waitFor()
    assert.deepStrictEqual(outside, [])
  })
})
