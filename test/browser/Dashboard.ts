import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import axe, { type AxeResults } from "axe-core"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { afterAll, assert, beforeAll } from "vitest"
import { Venom } from "../process/support/Venom.ts"
import { launch } from "./chromium.ts"

/** Does what a content says, so that a test has every kind of task there is. */
const handlers = `
export default {
  echo: async ({ content }) => content,
  fail: async ({ content }, { log }) => {
    log("asking " + content)
    throw new Error(content)
  },
  slow: async (_, { log, progress, signal }) => {
    log("begun")
    progress(40, "packing <b>boxes</b>")
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
  }
}
`
const runners = {
  types: Object.fromEntries(
    ["echo", "fail", "slow"].map((type) => [type, { runner: "module", module: "handlers.mjs" }])
  )
}

/** The real program with a directory of its own, which is there again when it is started again. */
export class Service {
  readonly #directory: string
  readonly #env: Readonly<Record<string, string>>
  #venom: Venom
  #port = "0"
  url = ""

  private constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.#directory = directory
    this.#env = env
    this.#venom = this.#launch()
  }

  #launch(): Venom {
    return new Venom({
      args: ["serve", "--port", this.#port, "--data-dir", join(this.#directory, "data")],
      env: { VENOM_RUNNERS_FILE: join(this.#directory, "runners.json"), ...this.#env },
      cwd: this.#directory
    })
  }

  static async begin(env: Readonly<Record<string, string>> = {}): Promise<Service> {
    const directory = await mkdtemp(join(tmpdir(), "venom-page-"))
    await writeFile(join(directory, "handlers.mjs"), handlers)
    await writeFile(join(directory, "runners.json"), JSON.stringify(runners))
    const service = new Service(directory, env)
    await service.#listens()
    return service
  }

  async #listens(): Promise<void> {
    this.url = await this.#venom.url()
    this.#port = new URL(this.url).port
  }

  async kill(): Promise<void> {
    this.#venom.kill("SIGKILL")
    await this.#venom.ended()
  }

  /** On the same port, as whoever is connected expects it. */
  async again(): Promise<void> {
    this.#venom = this.#launch()
    await this.#listens()
  }

  async end(): Promise<void> {
    await this.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }

  async ask(method: string, path: string, body?: object, headers: Readonly<Record<string, string>> = {}) {
    const answer = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await answer.text()
    assert.isBelow(answer.status, 300, text)
    return text === "" ? undefined : JSON.parse(text)
  }

  /** A task that is taken: its id. */
  async submit(content: string, more: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const { task_id } = await this.ask("POST", "tasks", { content, type: "echo", ...more }, headers)
    return task_id
  }

  /** A task that has ended: its id. */
  done(content: string, more: object = {}): Promise<string> {
    return this.submit(content, more, { prefer: "wait=20" })
  }
}

/** What a page must not do: run foreign code, break, ask another host. */
const watch = (page: Page, service: Service): ReadonlyArray<string> => {
  const noise: Array<string> = []
  page.on("pageerror", ({ message }) => noise.push(message))
  page.on("dialog", (dialog) => {
    noise.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on("console", (message) => {
    // what the service refuses, or does not answer, the browser tells too
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) noise.push(message.text())
  })
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url())
    if (origin !== service.url && protocol !== "data:") noise.push(`asked ${request.url()}`)
  })
  return noise
}

export const goto = async (page: Page, service: Service, view: string): Promise<void> => {
  await page.goto(`${service.url}/#/${view}`)
  await page.locator("main").waitFor()
}

type Use = (page: Page, service: Service) => Promise<void>

/** A service and a browser for the tests of a file. */
export const dashboard = (env: Readonly<Record<string, string>> = {}) => {
  let service: Service | undefined
  let browser: Browser | undefined
  beforeAll(async () => {
    service = await Service.begin(env)
    browser = await launch()
  })
  afterAll(async () => {
    await browser?.close()
    await service?.end()
  })
  const there = (): Service => {
    assert.isDefined(service)
    return service
  }
  return {
    service: there,
    /** Opens a view in a browser of its own, and sees to it that nothing is done there that must not be. */
    visit: async (view: string, use: Use, options: BrowserContextOptions = {}): Promise<void> => {
      assert.isDefined(browser)
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      context.setDefaultTimeout(20_000)
      const page = await context.newPage()
      const noise = watch(page, there())
      await goto(page, there(), view)
      await use(page, there())
      assert.deepStrictEqual(noise, [])
      await context.close()
    }
  }
}

const shots = fileURLToPath(new URL("../../test-output/screenshots/", import.meta.url))

/** Kept for people to look at. */
export const shoot = async (page: Page, name: string): Promise<void> => {
  await mkdir(shots, { recursive: true })
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

/** What axe finds that keeps somebody from using the page. */
export const findings = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, target }) => `${id}: ${target.join(" ")} ${html.slice(0, 200)}`))
}
