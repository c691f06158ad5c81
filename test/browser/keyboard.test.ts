import { assert, describe, it } from "vitest"
import { isMissing } from "./chromium.ts"
import { dashboard } from "./Dashboard.ts"

describe.skipIf(isMissing)("with the keyboard alone", () => {
  const { service, visit } = dashboard()

  it("one searches, walks through the list, opens a task and comes back to it", async () => {
    for (const content of ["one", "two", "three"]) await service().done(content)
    await visit("tasks", async (page) => {
      const { keyboard } = page
      const focused = () => page.evaluate<string>("document.activeElement?.textContent ?? ''")
      await page.locator("[data-row]").nth(2).waitFor()
      await keyboard.press("j")
      assert.include(await focused(), "three")
      await keyboard.press("j")
      assert.include(await focused(), "two")
      await keyboard.press("k")
      assert.include(await focused(), "three")
      await keyboard.press("j")
      await keyboard.press("Enter")
      await page.getByRole("heading", { name: "What happened" }).waitFor()
      await keyboard.press("Escape")
      await page.locator("[data-row=selected]").waitFor()
      assert.include(await focused(), "two")
      await keyboard.press("/")
      await keyboard.type("on/jk")
      assert.strictEqual(await page.getByLabel("Text in content").inputValue(), "on/jk")
      await page.getByText("No task matches.").waitFor()
      await keyboard.press("Escape")
      await page.getByRole("link", { name: "Charts" }).click()
      await page.getByRole("heading", { name: "Charts" }).waitFor()
      await keyboard.press("/")
      await page.locator("[data-search]:focus").waitFor()
      assert.strictEqual(await page.getByLabel("Text in content").inputValue(), "on/jk")
      await keyboard.press("Escape")
      await keyboard.press("?")
      await page.getByRole("dialog", { name: "Keys" }).waitFor()
      await keyboard.press("j")
      await keyboard.press("Escape")
      await page.getByRole("dialog", { name: "Keys" }).waitFor({ state: "hidden" })
      await keyboard.press("n")
      await page.getByRole("heading", { name: "New task" }).waitFor()
    })
  })

  it("one stands at the heading of what one went to, and the tab is called after it", async () => {
    const id = await service().done("told")
    await visit("tasks", async (page) => {
      await page.locator("[data-row]", { hasText: "told" }).waitFor()
      assert.strictEqual(await page.evaluate("document.activeElement.tagName"), "BODY")
      await page.keyboard.press("j")
      await page.keyboard.press("Enter")
      await page.locator("h1:focus", { hasText: "completed echo" }).waitFor()
      assert.strictEqual(await page.title(), `completed echo …${id.slice(-6)} · Venom`)
      for (const name of ["Charts", "Queue", "Tasks"]) {
        await page.getByRole("link", { name, exact: true }).focus()
        await page.keyboard.press("Enter")
        await page.locator("main h1:focus, main [data-row=selected]:focus").waitFor()
        assert.strictEqual(await page.title(), `${name} · Venom`)
      }
    })
  })

  it("everything is reached by Tab, and one sees where one is", async () => {
    await visit("tasks", async (page) => {
      await page.locator("[data-row]").first().waitFor()
      const seen = new Set<string>()
      for (let step = 0; step < 40; step++) {
        await page.keyboard.press("Tab")
        const { name, outline } = await page.evaluate<{ name: string; outline: string }>(
          "({ name: document.activeElement.textContent || document.activeElement.name, outline: getComputedStyle(document.activeElement).outlineStyle })"
        )
        assert.notStrictEqual(outline, "none", name)
        seen.add(name)
        if (name.includes("one")) break
      }
      const all = ["To the content", "Venom", "Tasks", "Failures", "?", "q", "tag", "New task", "Cancel pending…"]
      assert.includeMembers([...seen], all)
      // the first of them leads past the others
      await page.reload()
      await page.locator("[data-row]").first().waitFor()
      await page.keyboard.press("Tab")
      await page.keyboard.press("Enter")
      assert.strictEqual(await page.evaluate("document.activeElement.id"), "view")
    })
  })
})
