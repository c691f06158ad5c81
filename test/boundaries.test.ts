import { spawnSync } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

interface Room {
  readonly may: ReadonlyArray<string>
  /** Of these rooms it may know the types, and nothing else. */
  readonly mayKnow?: ReadonlyArray<string>
  /** Where this is false, into `library` and nothing else besides. */
  readonly platform: boolean
  /** `effect` without. */
  readonly library?: "preact"
}

/** Which room may look into which. */
const rooms: Record<string, Room> = {
  domain: { may: [], platform: false },
  ports: { may: ["domain"], platform: false },
  engine: { may: ["ports", "domain"], platform: false },
  "adapters/memory": { may: ["ports", "domain"], platform: true },
  "adapters/file": { may: ["ports", "domain", "adapters/memory"], platform: true },
  "adapters/postgres": { may: ["ports", "domain"], platform: true },
  "adapters/keys": { may: ["ports", "domain", "adapters/file"], platform: true },
  "adapters/http": { may: ["ports", "domain"], platform: true },
  "adapters/runners": { may: ["ports", "domain", "adapters/http"], platform: true },
  "adapters/otlp": { may: ["ports", "domain"], platform: true },
  api: { may: ["domain"], platform: false },
  server: { may: ["engine", "ports", "api", "domain"], platform: true },
  typed: { may: ["ports", "domain"], platform: false },
  client: { may: ["api", "ports", "domain"], platform: false },
  cli: { may: ["client", "api", "domain"], platform: false },
  host: { may: [], platform: true },
  dashboard: { may: [], mayKnow: ["api", "domain"], platform: false, library: "preact" }
}
const names = Object.keys(rooms)
const wiring = ["main", "program", "serve", "work", "index", "http", "client", "postgres", "testing"]
const platform = [
  "node:fs",
  "fs",
  "@effect/platform-node/NodeFileSystem",
  "@effect/platform-node-shared/NodeFileSystem"
]

/** What is forbidden everywhere, and a line that does it. */
const habits: Record<string, string> = {
  "typescript(no-explicit-any)": "export const f = (x: any) => x",
  "typescript(consistent-type-assertions)": "export const f = (x: unknown) => x as string",
  "typescript(no-non-null-assertion)": "export const f = (x: string | null) => x!",
  "typescript(ban-ts-comment)": "// @ts-expect-error\nexport const f: string = 1",
  "typescript(consistent-type-imports)": "import { VenomTask } from './B.ts'\nexport type F = VenomTask",
  "eslint(no-console)": "console.log('x')"
}

interface Plant {
  readonly file: string
  readonly line: string
  /** The rule that must speak, or none. */
  readonly rule: string | undefined
}

const restricted = "eslint(no-restricted-imports)"

/** Every line that a file of this room might try. */
const tries = (room: string): ReadonlyArray<Plant> => {
  const row = rooms[room]
  const others = names.filter((other) => other !== room)
  const serve = `${posix.relative(room, ".")}/serve.ts`
  const plant = (specifier: string, allowed = false) => ({
    line: `import { x } from ${JSON.stringify(specifier)}\nexport const y = x`,
    rule: allowed ? undefined : restricted
  })
  return [
    ...others.map((other) => plant(`${posix.relative(room, other)}/X.ts`, row?.may.includes(other))),
    ...others.map((other) => plant(`./${posix.relative(room, other)}/X.ts`)),
    ...wiring.map((file) => plant(`${posix.relative(room, ".")}/${file}.ts`)),
    ...platform.map((name) => plant(name, row?.platform)),
    ...["./X.ts", "./deeper/X.ts"].map((name) => plant(name, true)),
    ...["effect", "effect/http"].map((name) => plant(name, row?.library === undefined)),
    ...["preact", "preact/hooks"].map((name) => plant(name, row?.library === "preact" || row?.platform)),
    ...others.map((other) => ({
      line: `import type { X } from "${posix.relative(room, other)}/X.ts"\nexport type Y = X`,
      rule: row?.may.includes(other) || row?.mayKnow?.includes(other) ? undefined : restricted
    })),
    { line: `export * from "${serve}"`, rule: restricted },
    { line: `import type { X } from "${serve}"\nexport type Y = X`, rule: restricted },
    { line: `export const x = import("${serve}")`, rule: restricted },
    { line: `export type X = import("${serve}").X`, rule: "typescript(consistent-type-imports)" }
  ].map((one, index) => ({ ...one, file: `src/${room}/Planted${index}.ts` }))
}

const tried = Object.fromEntries(names.map((room) => [room, tries(room)]))
const habitual: ReadonlyArray<Plant> = [
  ...Object.entries(habits).flatMap(([rule, line], index) =>
    ["src/domain", "src", "test"].map((folder) => ({ rule, line, file: `${folder}/Habit${index}.ts` }))
  ),
  { rule: "import(no-cycle)", line: 'export * from "./CycleB.ts"', file: "src/domain/CycleA.ts" },
  { rule: "import(no-cycle)", line: 'export * from "./CycleA.ts"', file: "src/domain/CycleB.ts" }
]

const Report = Schema.fromJsonString(
  Schema.Struct({ diagnostics: Schema.Array(Schema.Struct({ filename: Schema.String, code: Schema.String })) })
)

/** Plants every line in a folder of its own and lints that once: what the linter said, by file. */
const lint = async (directory: string, plants: ReadonlyArray<Plant>) => {
  await cp(join(root, ".oxlintrc.json"), join(directory, ".oxlintrc.json"))
  for (const { file, line } of plants) {
    await mkdir(join(directory, dirname(file)), { recursive: true })
    await writeFile(join(directory, file), `${line}\n`)
  }
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint")
  const ran = spawnSync(process.execPath, [oxlint, "--format=json", "src", "test"], {
    cwd: directory,
    encoding: "utf8"
  })
  const { diagnostics } = Schema.decodeUnknownSync(Report)(ran.stdout)
  return Map.groupBy(diagnostics, ({ filename }) => filename)
}

describe("the linter", () => {
  let directory = ""
  let told = new Map<string, ReadonlyArray<{ readonly code: string }>>()

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "venom-boundaries-"))
    told = await lint(directory, [...Object.values(tried).flat(), ...habitual])
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  const judged = ({ file, line, rule }: Plant) => {
    const codes = (told.get(file) ?? []).map(({ code }) => code)
    const right = rule === undefined ? !codes.includes(restricted) : codes.includes(rule)
    return right ? [] : [`${file}: ${line}: ${rule === undefined ? "refused" : "not refused"}`]
  }

  it.each(names)("keeps %s to the rooms it may look into", (room) => {
    assert.deepStrictEqual(tried[room]?.flatMap(judged), [])
  })

  it.each(habitual)("refuses in $file: $line", (plant) => {
    assert.deepStrictEqual(judged(plant), [])
  })
})

describe("the sources", () => {
  it("have a row for every room", async () => {
    const folders = async (path: string) =>
      (await readdir(join(root, path), { withFileTypes: true }))
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
    const found = [
      ...(await folders("src")).filter((name) => name !== "adapters"),
      ...(await folders("src/adapters")).map((name) => `adapters/${name}`)
    ]
    assert.includeMembers(names, found)
  })

  it("give a client nothing of the service, and nothing that a browser lacks", async () => {
    const loaded = new Map<string, ReadonlyArray<string>>()
    const load = async (file: string): Promise<void> => {
      if (loaded.has(file)) return
      const text = await readFile(join(root, file), "utf8")
      const imported = Array.from(
        text.matchAll(/^(?:import|export) (?!type ).* from "([^"]+)"/gm),
        ([, name = ""]) => name
      )
      loaded.set(file, imported)
      for (const name of imported) if (name.startsWith(".")) await load(posix.join(dirname(file), name))
    }
    await load("src/client.ts")
    assert.isAbove(loaded.size, 20)
    const rooms = new Set(Array.from(loaded.keys(), (file) => dirname(file)))
    assert.sameMembers([...rooms], ["src", "src/api", "src/client", "src/domain", "src/ports", "src/typed"])
    const foreign = [...loaded.values()].flat().filter((name) => !name.startsWith(".") && !/^effect(\/|$)/.test(name))
    assert.deepStrictEqual(foreign, [])
  })

  it("never silence the linter or the compiler", async () => {
    const silences = /(ox|es)lint-disable|@ts-(ignore|expect|nocheck)|@effect-diagnostics/
    const files = (await readdir(join(root, "src"), { recursive: true })).filter((name) => name.endsWith(".ts"))
    const texts = await Promise.all(files.map((name) => readFile(join(root, "src", name), "utf8")))
    assert.deepStrictEqual(
      files.filter((_, index) => silences.test(texts[index] ?? "")),
      []
    )
  })
})
