import type { Browser, Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { serve } from "../process/venom.ts"
import { isMissing, launch } from "./chromium.ts"

describe.skipIf(isMissing)("/docs, in Chromium", () => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(async () => browser?.close())

  /** The page as it stands there, and whatever the browser has refused it or could not do. */
  const opened = async (url: string): Promise<{ readonly page: Page; readonly troubles: ReadonlyArray<string> }> => {
    const page = await browser?.newPage()
    assert.isDefined(page)
    const troubles: Array<string> = []
    page.on("pageerror", ({ message }) => troubles.push(message))
    page.on("console", (message) => {
      if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico")) troubles.push(message.text())
    })
    page.on("requestfailed", (request) => troubles.push(request.url()))
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:")) troubles.push(request.url())
    })
    await page.goto(`${url}/docs`)
    await page.getByText("/api/v1/tasks/bulk", { exact: true }).waitFor()
    return { page, troubles }
  }

  it("is read, and tried, under a policy that allows no script but its own", async () => {
    const venom = await serve()
    const url = await venom.url()
    const { page, troubles } = await opened(url)
    await page.getByText("Submit a task", { exact: true }).first().click()
    await page.getByRole("button", { name: "Try it out" }).click()
    await page.getByRole("button", { name: "Execute" }).click()
    await page.getByText("task_id", { exact: false }).last().waitFor()
    assert.include(await (await fetch(`${url}/api/v1/tasks`)).text(), `"content":"hello"`)
    assert.deepStrictEqual(troubles, [])
  })

  it("runs nothing that is put into it", async () => {
    const venom = await serve()
    const { page } = await opened(await venom.url())
    await page.evaluate(`
      const script = document.createElement("script")
      script.textContent = "window.hasRun = true"
      document.body.append(script)
      const place = document.createElement("div")
      place.innerHTML = '<img id="put" src="data:image/png;base64,AAAA" onerror="window.hasRun = true">'
      document.body.append(place)
    `)
    await page.waitForFunction(`document.getElementById("put").complete`)
    assert.isFalse(await page.evaluate(`"hasRun" in window`))
  })
})
