import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { Page } from "playwright-core"
import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard, type Service } from "./Dashboard.ts"

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()
const statusOf = async (service: Service, id: string): Promise<string> =>
  (await service.ask("GET", `tasks/${id}`)).status

describe.skipIf(isMissing)("from the dashboard a task", () => {
  const { service, visit } = dashboard()

  it("is submitted, with all that it may be asked for", async () => {
    await visit("tasks", async (page, service) => {
      await page.getByRole("link", { name: "New task" }).click()
      await page.getByLabel("Type").fill("echo")
      await page.getByLabel("Content").fill("from the page")
      await page.getByText("How it is to run").click()
      await page.getByLabel("Tags").fill("spring, two words")
      await page.getByLabel("Priority").fill("-5")
      await page.getByLabel("Delay").fill("400 days")
      await press(page, "Submit the task")
      await page.getByRole("heading", { name: "What happened" }).waitFor()
      const [, id = ""] = /tasks\/(.+)$/.exec(page.url()) ?? []
      const { content, priority, tags } = await service.ask("GET", `tasks/${id}`)
      assert.deepStrictEqual(
        { content, priority, tags },
        { content: "from the page", priority: -5, tags: ["spring", "two words"] }
      )
    })
  })

  it("is refused with the field that is wrong, and what was written stays", async () => {
    await visit("submit", async (page) => {
      await page.getByLabel("Content").fill("a long text")
      await page.getByText("How it is to run").click()
      await page.getByLabel("Priority").fill("500")
      await press(page, "Submit the task")
      assert.include(await page.getByRole("alert").textContent(), "priority")
      assert.strictEqual(await page.getByLabel("Content").inputValue(), "a long text")
    })
  })

  it("is cancelled, once that is confirmed", async () => {
    const id = await service().submit("stop me", { type: "slow" })
    await visit(`tasks/${id}`, async (page, service) => {
      await press(page, "Cancel")
      await press(page, "Leave it")
      assert.strictEqual(await statusOf(service, id), "PROCESSING")
      await press(page, "Cancel")
      await press(page, "Cancel the task")
      await page.getByRole("heading", { name: "It failed: cancelled" }).waitFor()
      assert.strictEqual(await statusOf(service, id), "FAILED")
    })
  })

  it("is given another attempt", async () => {
    const id = await service().done("try", { type: "fail", max_attempts: 1 })
    await visit(`tasks/${id}`, async (page, service) => {
      await press(page, "Retry")
      await page.getByText("Attempt 2 failed", { exact: true }).waitFor()
      assert.strictEqual((await service.ask("GET", `tasks/${id}`)).attempt, 2)
    })
  })

  it("is run again with changes, and without those of its fields that nobody changed", async () => {
    const id = await service().done("first draft", { tags: ["kept"], timeout: "20 seconds", unique_key: "one" })
    await visit(`tasks/${id}`, async (page, service) => {
      await page.getByRole("link", { name: "Run again…" }).click()
      await page.getByRole("heading", { name: "Run again, with changes" }).waitFor()
      assert.strictEqual(await page.getByLabel("Content").inputValue(), "first draft")
      await page.getByLabel("Content").fill("second draft")
      await press(page, "Submit the task")
      await page.locator(".status.is-completed").waitFor()
      const [, copy = ""] = /tasks\/([^?]+)$/.exec(page.url()) ?? []
      assert.notStrictEqual(copy, id)
      const { content, tags, timeout, unique_key } = await service.ask("GET", `tasks/${copy}`)
      assert.deepStrictEqual([content, tags, timeout, unique_key], ["second draft", ["kept"], "20 seconds", undefined])
    })
  })

  it("is deleted, once that is confirmed", async () => {
    const id = await service().done("away with it")
    await visit(`tasks/${id}`, async (page, service) => {
      await press(page, "Delete")
      await press(page, "Delete the task")
      await page.locator("[data-row]").first().waitFor()
      assert.strictEqual((await fetch(`${service.url}/api/v1/tasks/${id}`)).status, 404)
    })
  })

  it("is copied as a command that makes another one, whatever stands in it", async () => {
    const content = `it's "quoted" $HOME \`id\` \\ ; rm -rf\nsecond line ${"\u2028"}`
    const id = await service().done(content, { tags: ["a'b"] })
    await visit(
      `tasks/${id}`,
      async (page, service) => {
        await press(page, "Copy as curl")
        await page.getByText("Copied").waitFor()
        const command = await page.evaluate<string>("navigator.clipboard.readText()")
        const { stdout } = await promisify(execFile)("sh", ["-c", `${command} -s`])
        const { task_id } = JSON.parse(stdout)
        const copy = await service.ask("GET", `tasks/${task_id}`)
        assert.deepStrictEqual([copy.content, copy.tags], [content, ["a'b"]])
      },
      { permissions: ["clipboard-read", "clipboard-write"] }
    )
  })

  it("is one of all that match: they are counted, and done to as many or to none", async () => {
    const many = (count: number, more: object) =>
      service().ask("POST", "tasks/bulk", {
        tasks: Array.from({ length: count }, () => ({ content: "many", type: "echo", tags: ["many"], ...more }))
      })
    await many(7, { delay: "30 days" })
    await visit("tasks?tag=many&status=PENDING", async (page, service) => {
      await press(page, "Cancel pending…")
      await page.getByRole("heading", { name: "Cancel 7 tasks?" }).waitFor()
      await page.getByText("Exactly 7 tasks match now: pending, with the tag many.").waitFor()
      await many(2, { delay: "30 days" })
      await press(page, "Cancel 7 tasks")
      await page.getByText("It is 9 tasks by now. Nothing was done.").waitFor()
      const { counts } = await service.ask("GET", "queue")
      assert.isAtLeast(counts.PENDING, 9)
      await press(page, "Cancel 9 tasks")
      await page.getByText("No task matches.").waitFor()
      await page.getByText("Cancel: 9 tasks changed.").waitFor()
    })
    await visit("tasks?tag=many", async (page, service) => {
      await press(page, "Delete failed…")
      await press(page, "Delete 9 tasks")
      await page.getByText("No task matches.").waitFor()
      assert.deepStrictEqual(await service.ask("GET", "tasks?tag=many"), [])
    })
  })
})
