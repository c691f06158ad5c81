import type { Page } from "playwright-core"
import { assert, beforeAll, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard, findings, goto, shoot } from "./Dashboard.ts"

const widths = { phone: { width: 390, height: 844 }, desktop: { width: 1360, height: 900 } } as const
const schemes = ["light", "dark"] as const

/** What opens above a view. */
const dialogs: ReadonlyArray<readonly [name: string, view: string, open: (page: Page) => Promise<void>]> = [
  ["help", "tasks", (page) => page.keyboard.press("?")],
  ["bulk", "tasks", (page) => page.getByRole("button", { name: "Delete failed…" }).click()],
  ["schedule", "schedules", (page) => page.getByRole("button", { name: "Change" }).click()]
]

describe.skipIf(isMissing)("the dashboard, at phone and desktop width, light and dark", () => {
  const { service: there, visit } = dashboard({ VENOM_ENVIRONMENT: "staging", VENOM_CONCURRENCY: "2" })
  /** Each view: where it is, and what is there once it is shown. */
  const views = new Map<string, readonly [path: string, shown: string]>()

  beforeAll(async () => {
    const service = there()
    const order = JSON.stringify({
      order: 4711,
      items: ["box", "lid"],
      customer: { name: "Ada", vip: true, note: null }
    })
    const done = await service.done(order, { tags: ["spring", "urgent"], timeout: "30 seconds" })
    const backoff = { kind: "fixed", base: "200 millis", jitter: 0 }
    const failed = await service.done("SMTP 550: mailbox unavailable", { type: "fail", max_attempts: 2, backoff })
    await service.done("SMTP 550: mailbox unavailable", { type: "fail", max_attempts: 1 })
    const running = await service.submit("a long one", { type: "slow" })
    const waiting = await service.submit("next week", { delay: "7 days" })
    await service.submit("no such handler", { type: "nobody/does.this" })
    await service.ask("PUT", "queue/limits", {
      types: { slow: { concurrency: 1, rate: { limit: 10, per: "1 minute" } } },
      keys: { "tenant-7": { concurrency: 2 } },
      each_key: 4
    })
    await service.ask("POST", "queue/pause", { type: "nobody/does.this" })
    await service.ask("PUT", "schedules/nightly", {
      cron: "0 3 * * *",
      time_zone: "Europe/Berlin",
      task: { content: "report", type: "echo" }
    })
    views.set("tasks", ["tasks", "[data-row]"])
    for (const view of ["failures", "charts", "queue", "schedules", "storage", "submit"]) {
      views.set(view, [view, `h1#${view}`])
    }
    views.set("completed", [`tasks/${done}`, ".status.is-completed"])
    views.set("failed", [`tasks/${failed}`, ".status.is-failed"])
    views.set("running", [`tasks/${running}`, ".why li"])
    views.set("waiting", [`tasks/${waiting}`, ".why li"])
    views.set("again", [`submit?copy=${done}`, "form.panel"])
  }, 60_000)

  for (const [name, viewport] of Object.entries(widths)) {
    for (const colorScheme of schemes) {
      it(`keeps nobody out: ${name}, ${colorScheme}`, async () => {
        const found: Array<string> = []
        await visit(
          "tasks",
          async (page, service) => {
            const look = async (what: string) => {
              await shoot(page, `${what}-${name}-${colorScheme}`)
              for (const finding of await findings(page)) found.push(`${what}: ${finding}`)
              const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
              if (overflow !== 0) found.push(`${what} is ${overflow} wider than the window`)
            }
            for (const [view, [path, shown]] of views) {
              await goto(page, service, path)
              await page.locator(`main ${shown}`).first().waitFor()
              await look(view)
            }
            for (const [dialog, view, openDialog] of dialogs) {
              const [path = "", shown = ""] = views.get(view) ?? []
              await goto(page, service, path)
              await page.locator(`main ${shown}`).first().waitFor()
              await openDialog(page)
              await page.locator("dialog[open]").waitFor()
              await look(`${dialog}-dialog`)
              await page.keyboard.press("Escape")
              await page.locator("dialog[open]").waitFor({ state: "hidden" })
            }
          },
          { viewport, colorScheme }
        )
        assert.deepStrictEqual(found, [])
      }, 120_000)
    }
  }
})
