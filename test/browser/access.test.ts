import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Page } from "playwright-core"
import { afterAll, assert, describe, it } from "vitest"
import { Venom } from "../process/support/Venom.ts"
import { isMissing } from "./chromium.ts"
import { dashboard, findings, type Service, shoot } from "./Dashboard.ts"

/** An admin key of the environment, never shown to a page. */
const admin = "k".repeat(40)
const authorization = { authorization: `Bearer ${admin}` }

/** The service looks for new keys each second. */
const known = async (service: Service, key: string): Promise<string> => {
  for (;;) {
    const answer = await fetch(`${service.url}/api/v1/session`, { headers: { authorization: `Bearer ${key}` } })
    await answer.arrayBuffer()
    if (answer.ok) return key
  }
}

const login = async (page: Page, key: string): Promise<void> => {
  await page.getByLabel("API key").fill(key)
  await page.getByRole("button", { name: "Log in" }).click()
}

describe.skipIf(isMissing)("where a key is needed, the dashboard", () => {
  const keys = mkdtempSync(join(tmpdir(), "venom-keys-"))
  const { service, visit } = dashboard({ VENOM_API_KEY: admin, VENOM_KEYS_DIR: keys })
  const run = async (...args: ReadonlyArray<string>): Promise<string> =>
    (await new Venom({ args: ["keys", ...args, "--keys-dir", keys] }).ended()).stdout.trim()
  afterAll(() => rm(keys, { recursive: true, force: true }))

  it("asks for it, keeps it from every script, and lets go of it", async () => {
    await service().submit("behind the door", {}, { ...authorization, prefer: "wait=20" })
    await visit("tasks", async (page, service) => {
      assert.deepStrictEqual(await findings(page), [])
      await shoot(page, "login-desktop-light")
      await login(page, "wrong")
      await page.getByRole("alert").getByText("No key in force is this one").waitFor()
      await login(page, admin)
      await page.locator(".row", { hasText: "behind the door" }).waitFor()
      assert.strictEqual(
        await page.evaluate("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)"),
        "{}{}"
      )
      const [cookie] = await page.context().cookies()
      assert.deepInclude(cookie, { httpOnly: true, sameSite: "Strict" })
      await page.getByRole("link", { name: "New task" }).click()
      await page.getByLabel("Type").fill("echo")
      await page.getByLabel("Content").fill("from the session")
      await page.getByRole("button", { name: "Submit the task" }).click()
      await page.locator(".status.is-completed").waitFor()
      await page.getByRole("button", { name: "Log out" }).click()
      await page.getByLabel("API key").waitFor()
      assert.notInclude(await page.locator("body").textContent(), "from the session")
      await page.reload()
      await page.getByLabel("API key").waitFor()
      assert.deepStrictEqual(await page.context().cookies(), [])
      assert.strictEqual((await fetch(`${service.url}/api/v1/tasks`)).status, 401)
    })
  })

  it("asks again as soon as the key is revoked", async () => {
    const key = await known(service(), await run("create", "--name", "for-a-while", "--scope", "write"))
    await visit("tasks", async (page) => {
      await login(page, key)
      await page.locator("[data-row]").first().waitFor()
      await run("revoke", /^venom_([0-9a-z]{12})_/.exec(key)?.[1] ?? "")
      await page.getByLabel("API key").waitFor()
      assert.strictEqual(await page.locator("[data-row]").count(), 0)
    })
  })

  it("offers nothing that the key does not allow", async () => {
    const offered = async (scope: string) => {
      const key = await known(service(), await run("create", "--name", scope, "--scope", scope))
      const seen: Array<string> = []
      await visit("tasks", async (page) => {
        await login(page, key)
        await page.locator("[data-row]").first().waitFor()
        const look = async () => seen.push(...(await page.locator("main button, main a.button").allTextContents()))
        await look()
        await page.locator("[data-row]").first().click()
        await page.getByRole("heading", { name: "What happened" }).waitFor()
        await look()
        await page.getByRole("link", { name: "Queue" }).click()
        await page.getByRole("heading", { name: "Limits" }).waitFor()
        await look()
        await page.getByRole("link", { name: "Schedules" }).click()
        await page.getByRole("heading", { name: "Schedules" }).waitFor()
        await look()
      })
      return seen.filter((text) => !/^(Copy|As it is|Clear)/.test(text))
    }
    const hidden = ["Add a type", "Add a key"]
    assert.sameMembers(await offered("read"), hidden)
    const writer = await offered("write")
    assert.includeMembers(writer, ["New task", "Run again…", "Delete"])
    assert.notIncludeMembers(writer, ["Pause the queue", "New schedule", "Set the limits"])
    assert.includeMembers(await offered("admin"), ["New task", "Pause the queue", "New schedule", "Set the limits"])
  })
})

describe.skipIf(isMissing)("where nothing can be changed, the dashboard", () => {
  const { visit } = dashboard({ VENOM_READ_ONLY: "true" })

  it("offers nothing that would change it", async () => {
    await visit("tasks", async (page) => {
      await page.getByText("There is no task yet.").waitFor()
      assert.strictEqual(await page.getByRole("link", { name: "New task" }).count(), 0)
      await page.goto(page.url().replace(/#.*/, "#/submit"))
      await page.getByText("Nothing can be submitted here.").waitFor()
      await page.getByRole("link", { name: "Queue" }).click()
      await page.getByRole("heading", { name: "Queue" }).waitFor()
      assert.strictEqual(await page.getByRole("button", { name: /Pause|Set/ }).count(), 0)
    })
  })
})
