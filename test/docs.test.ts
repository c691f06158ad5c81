import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Record } from "effect"
import { assert, describe, it } from "vitest"
import { OpenApi } from "effect/http-api"
import { problems } from "../src/api/Problem.ts"
import { VenomApi } from "../src/api/VenomApi.ts"
import * as Table from "../src/cli/SettingsTable.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (name: string) => readFileSync(join(root, name), "utf8")
const documents = globSync(["*.md", "docs/*.md"], { cwd: root })

/** The part of a link after `#` that leads to this heading. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, "")
    .replaceAll(/\s/g, "-")

describe("links", () => {
  it.each(documents)("of %s lead somewhere", (name) => {
    const text = read(name).replaceAll(/^```.*?^```/gms, "")
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (target.startsWith("https://")) continue
      const [path = "", heading] = target.split("#")
      const there = read(path === "" ? name : join(dirname(name), path))
      if (heading === undefined) continue
      const headings = Array.from(there.matchAll(/^#+ (.*)$/gm), ([, title = ""]) => anchor(title))
      assert.include(headings, heading, target)
    }
  })
})

describe("paths", () => {
  it.each(documents)("of %s are there", (name) => {
    for (const [, path = ""] of read(name).matchAll(/`((?:src|test|examples|docs|scripts)\/[\w./-]+)`/g)) {
      assert.isTrue(existsSync(join(root, path)), path)
    }
  })
})

describe("README.md", () => {
  const readme = read("README.md")

  it("shows the examples as they are", () => {
    const shown = Array.from(readme.matchAll(/^<!-- (\S+) -->\n```ts\n(.*?)^```$/gms))
    assert.lengthOf(shown, 1)
    for (const [, file = "", code] of shown) assert.strictEqual(code, read(file), file)
  })

  it("has the defaults that the settings have", () => {
    const defaults: Readonly<Record<string, string | undefined>> = Record.mapEntries(
      Table.table,
      (row: Table.Row, key) => [Table.variable(key), row.default]
    )
    const rows = Array.from(readme.matchAll(/^\| `(VENOM_\w+)` \| `([^`]*)` \|/gm))
    assert.isAbove(rows.length, 5)
    for (const [, variable = "", value] of rows) assert.strictEqual(defaults[variable], value, variable)
  })
})

describe("docs/runners.md", () => {
  it("shows the examples as they are", () => {
    const shown = Array.from(read("docs/runners.md").matchAll(/^<!-- (\S+) -->\n```\w+\n(.*?)^```$/gms))
    assert.sameMembers(
      shown.map(([, file]) => file),
      globSync("examples/runners/*", { cwd: root })
    )
    for (const [, file = "", code] of shown) assert.strictEqual(code, read(file), file)
  })
})

describe.each(["docs/typed-tasks.md", "docs/embedding.md"])("%s", (name) => {
  it("shows the examples as they are, and no other code", () => {
    const document = read(name)
    const shown = Array.from(document.matchAll(/^<!-- (examples\S+) -->\n```ts\n(.*?)^```$/gms))
    assert.lengthOf(shown, document.match(/^```ts$/gm)?.length ?? 0)
    for (const [, file = "", code] of shown) assert.strictEqual(code, read(file), file)
  })
})

describe("docs/embedding.md", () => {
  it("names every example", () => {
    const folders = new Set(globSync("examples/*/*", { cwd: root }).map(dirname))
    for (const folder of folders) assert.include(read("docs/embedding.md"), `[${folder}](`, folder)
  })
})

describe("docs/operations.md", () => {
  it("tells of messages that the log has", () => {
    const sources = globSync("src/**/*.ts", { cwd: root }).map(read).join("\n")
    const [, table = ""] = /^\| message begins .*?\n\|.*?\n(.*?)\n\n/ms.exec(read("docs/operations.md")) ?? []
    const messages = Array.from(table.matchAll(/^\| `([^`]+)` \|/gm), ([, message = ""]) => message)
    assert.isAbove(messages.length, 15)
    for (const message of messages) {
      for (const part of message.split("…")) assert.include(sources, part.trim(), message)
    }
  })
})

describe("docs/security.md", () => {
  const document = read("docs/security.md")
  const shown = Array.from(document.matchAll(/`(test\/[^`]+)`: "([^"]+)"/g), ([, file = "", name = ""]) => ({
    file,
    name
  }))

  it("names tests that there are", () => {
    assert.isAbove(shown.length, 30)
    for (const { file, name } of shown) {
      const names = Array.from(read(file).matchAll(/\(\s*(["`])(.*?)\1,/gs), ([, , text = ""]) => text)
      assert.isTrue(
        names.some((text) => text.includes(name)),
        `${file}: ${name}`
      )
    }
  })

  it("has a test in every row of its threats", () => {
    const rows = document.split("\n").filter((line) => line.startsWith("| ") && line.split(" | ").length === 3)
    for (const row of rows.filter((row) => !row.startsWith("| threat") && !row.startsWith("| scope"))) {
      assert.match(row, /`test\/[^`]+`: "[^"]+" \|$/, row)
    }
  })
})

describe("docs/api.md", () => {
  const text = read("docs/api.md")

  it("names every problem with its status", () => {
    for (const { status, type } of Object.values(problems)) assert.include(text, `| ${status} | \`${type}\` |`)
  })

  it("names every route", () => {
    const { paths } = OpenApi.fromApi(VenomApi)
    // a part that several have in common is written once
    for (const path of Object.keys(paths)) assert.match(text, new RegExp(named(path)), path)
  })
})

const named = (path: string): string => {
  const [last = ""] = path.split("/").slice(-1)
  return `${path}[\\s\`?]|…/${last}\``
}
