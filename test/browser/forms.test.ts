import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import { HttpServer } from "effect/http"
import type { Browser } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { TaskHandlers, TaskType } from "../../src/index.ts"
import { served } from "../server/support.ts"
import { isMissing, launch } from "./chromium.ts"

interface Box {
  readonly label: string
  readonly boxes: ReadonlyArray<Box>
}
const Box = Schema.Struct({
  label: Schema.String,
  boxes: Schema.Array(Schema.suspend((): Schema.Codec<Box> => Box))
})

const Order = TaskType.make("order", {
  payload: Schema.Struct({
    customer: Schema.Struct({ name: Schema.String, vip: Schema.Boolean }),
    amount: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 })),
    speed: Schema.Literals(["slow", "fast"]),
    notes: Schema.Array(Schema.String),
    price: Schema.optionalKey(Schema.Finite),
    box: Schema.optionalKey(Box),
    extra: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
  })
})
const runner = TaskHandlers.layer(Order).pipe(Layer.provide(Order.toLayer(() => Effect.void)))

describe.skipIf(isMissing)("a type with a schema has a form", () => {
  const runtime = ManagedRuntime.make(served({ runner }))
  let browser: Browser | undefined
  let url = ""
  beforeAll(async () => {
    const { address } = await runtime.runPromise(HttpServer.HttpServer)
    url = `http://127.0.0.1:${address._tag === "UnixPathAddress" ? "" : address.port}`
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await runtime.dispose()
  })

  it("for its content: texts, numbers, flags, choices, lists, groups, and JSON for anything else", async () => {
    const page = await browser?.newPage()
    assert.isDefined(page)
    page.setDefaultTimeout(10_000)
    await page.goto(`${url}/#/submit`)
    await page.getByLabel("Type").fill("order")
    await page.getByLabel("name").fill("Ada")
    await page.getByLabel("vip").check()
    await page.getByLabel("amount").fill("12")
    assert.deepStrictEqual(await page.getByLabel("speed").locator("option").allTextContents(), ["slow", "fast"])
    await page.getByLabel("speed").selectOption("fast")
    await page.getByRole("button", { name: "Add to notes" }).click()
    await page.getByLabel("notes 1").fill("<b>first</b>")
    await page.getByRole("button", { name: "Add to notes" }).click()
    await page.getByLabel("notes 2").fill("second")
    await page.getByRole("button", { name: "Remove notes 2" }).click()
    await page.getByRole("button", { name: "Add box" }).click()
    await page.getByLabel("label").fill("outer")
    await page.getByRole("button", { name: "Add to boxes" }).click()
    await page.getByLabel("label").nth(1).fill("inner")
    await page.getByLabel("extra").fill('{"deep": [1, null]}')
    await page.getByRole("button", { name: "Submit the task" }).click()
    assert.include(await page.locator("p[role=alert]").textContent(), "content.amount")
    await page.getByLabel("amount").fill("7")
    await page.getByRole("button", { name: "JSON" }).click()
    assert.include(await page.getByRole("textbox", { name: "Content" }).inputValue(), '"amount":7')
    await page.getByRole("button", { name: "Form" }).click()
    await page.getByRole("button", { name: "Submit the task" }).click()
    await page.getByRole("heading", { name: "What happened" }).waitFor()
    const [task] = JSON.parse(await (await fetch(`${url}/api/v1/tasks`)).text())
    assert.deepStrictEqual(JSON.parse(task.content), {
      customer: { name: "Ada", vip: true },
      amount: 7,
      speed: "fast",
      notes: ["<b>first</b>"],
      box: { label: "outer", boxes: [{ label: "inner", boxes: [] }] },
      extra: { deep: [1, null] }
    })
    await page.context().close()
  })
})
