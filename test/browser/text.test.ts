import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard } from "./Dashboard.ts"

/** What would be run, were it ever anything but text. */
const markup = [
  `<img src=x onerror=alert(1)>`,
  `<script>alert(2)</script>`,
  `"><svg onload=alert(3)>`,
  `</pre></code><iframe src="javascript:alert(4)">`,
  `javascript:alert(5)`,
  `{{constructor.constructor('alert(6)')()}}`
]

describe.skipIf(isMissing)("what comes from outside is text in the dashboard", () => {
  const { service, visit } = dashboard()

  it("in contents, results, tags, keys, logs, failures and schedules, on every view", async () => {
    const ids: Array<string> = []
    for (const text of markup) {
      const more = { tags: [text], concurrency_key: text }
      ids.push(await service().done(text, more))
      ids.push(await service().done(text, { ...more, type: "fail", max_attempts: 1 }))
      ids.push(await service().done(JSON.stringify({ [text]: text }), more))
      ids.push(await service().submit(text, { ...more, unique_key: text, delay: "30 days" }))
    }
    await service().ask("PUT", "queue/limits", { keys: { [markup[0] ?? ""]: { concurrency: 1 } } })
    await service().ask("PUT", "schedules/x", { every: "1 hour", task: { content: markup[0], tags: markup } })
    const views = ["tasks", "failures", "charts", "queue", "schedules", "storage", ...ids.map((id) => `tasks/${id}`)]
    const search = `tasks?q=${encodeURIComponent(markup[0] ?? "")}&tag=${encodeURIComponent(markup[0] ?? "")}`
    await visit("tasks", async (page, service) => {
      for (const view of [...views, search, `submit?copy=${ids[0]}`, `<img src=x onerror=alert(7)>/x`]) {
        await page.goto(`${service.url}/#/${view}`)
        await page.locator("main h1, main [data-row]").first().waitFor()
        assert.strictEqual(await page.locator("img, iframe, svg[onload], script:not([src])").count(), 0, view)
      }
      await page.goto(`${service.url}/#/tasks/${ids[1]}`)
      await page
        .locator("pre.error", { hasText: markup[0] ?? "" })
        .first()
        .waitFor()
    })
  })

  it("JSON is laid out as it is: long numbers and doubled names stay", async () => {
    const id = await service().done(`{"n":12345678901234567890.10,"a":1,"a":{},"b":[],"s":"\\u003cb>{,}"}`)
    await visit(`tasks/${id}`, async (page) => {
      const shown = await page.locator("pre.text").first().textContent()
      assert.strictEqual(
        shown,
        '{\n  "n": 12345678901234567890.10,\n  "a": 1,\n  "a": {},\n  "b": [],\n  "s": "\\u003cb>{,}"\n}'
      )
      await page.getByRole("button", { name: "As it is" }).first().click()
      assert.include(await page.locator("pre.text").first().textContent(), '"a":1,"a":{}')
    })
  })

  it("a content of a megabyte is there, and all of it when one asks for it", async () => {
    const id = await service().done("long ".repeat(200_000), { type: "echo" })
    await visit(`tasks/${id}`, async (page) => {
      const text = page.locator("pre.text").first()
      assert.strictEqual((await text.textContent())?.length, 20_000)
      await page.getByRole("button", { name: "Show all of it" }).first().click()
      assert.strictEqual((await text.textContent())?.length, 1_000_000)
    })
  })
})
