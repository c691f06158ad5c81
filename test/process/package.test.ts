import { spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import process from "node:process"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import { publint } from "publint"
import { rolldown } from "rolldown"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))
// npm tells the programs that it runs which project it is in: here it is another
const { npm_config_local_prefix: _, ...env } = process.env
/** What it says on stdout; fails with all that it said. */
const run = async (cwd: string, program: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  assert.strictEqual(code, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`)
  return stdout
}

const Versions = Schema.Record(Schema.String, Schema.String)
const Manifest = Schema.fromJsonString(
  Schema.Struct({
    exports: Schema.Record(Schema.String, Schema.Unknown),
    dependencies: Schema.optionalKey(Versions),
    devDependencies: Schema.optionalKey(Versions),
    peerDependencies: Schema.optionalKey(Versions),
    peerDependenciesMeta: Schema.optionalKey(Schema.Record(Schema.String, Schema.Struct({ optional: Schema.Boolean })))
  })
)
const manifest = async (path: string) =>
  Schema.decodeUnknownSync(Manifest)(await readFile(join(path, "package.json"), "utf8"))

/** As strict as can be; the declarations of the package are looked at too. */
const tsconfig = {
  compilerOptions: {
    target: "es2024",
    // a declaration of effect has a name from the DOM
    lib: ["es2024", "esnext.iterator", "dom"],
    types: ["node"],
    module: "nodenext",
    rootDir: ".",
    outDir: "out",
    rewriteRelativeImportExtensions: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    skipLibCheck: false
  },
  include: ["embed", "typed", "app", "runtime", "runners", "postgres", "installed"],
  exclude: ["**/*.test.ts"]
}

describe("the published package, installed in an empty project", () => {
  let project = ""

  beforeAll(async () => {
    project = await realpath(await mkdtemp(join(tmpdir(), "venom-package-")))
    await run(root, process.execPath, "scripts/build.ts")
    const packed = await run(root, "npm", "pack", "./dist", "--silent", "--pack-destination", project)
    await writeFile(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }))
    const { dependencies = {}, devDependencies = {} } = await manifest(root)
    const versions = { ...dependencies, ...devDependencies }
    const tools = ["typescript", "@types/node", "@effect/sql-pg"].map((name) => `${name}@${versions[name]}`)
    await run(project, "npm", "install", "--no-audit", "--no-fund", `./${packed.trim()}`, ...tools)
    for (const name of tsconfig.include) {
      const from = name === "installed" ? "test/process/installed" : `examples/${name}`
      await cp(join(root, from), join(project, name), { recursive: true })
    }
    await writeFile(join(project, "tsconfig.json"), JSON.stringify(tsconfig))
  }, 300_000)
  afterAll(() => rm(project, { recursive: true, force: true }))

  it("has nothing that publint minds", async () => {
    const { messages } = await publint({ pkgDir: join(root, "dist"), strict: true })
    assert.deepStrictEqual(messages, [])
  })

  it("has the exports of the sources, and brings no second copy of effect", async () => {
    const published = await manifest(join(project, "node_modules", "venom"))
    assert.sameMembers(Object.keys(published.exports), Object.keys((await manifest(root)).exports))
    assert.isUndefined(published.dependencies)
    const { peerDependencies = {}, peerDependenciesMeta = {} } = published
    assert.sameMembers(
      Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true),
      ["effect", "@effect/platform-node"]
    )
    const copies = await run(project, "npm", "ls", "effect", "--all", "--parseable")
    assert.strictEqual(copies, `${join(project, "node_modules", "effect")}\n`)
  })

  it("compiles in strict mode, declarations included, and runs", async () => {
    await run(project, process.execPath, join("node_modules", "typescript", "bin", "tsc"))
    const installed = await run(project, process.execPath, "out/installed/main.js")
    assert.include(installed.split("\n"), "venom: 25 primes, counted in a thread")
    assert.include(installed.split("\n"), "much later: COMPLETED")
    const embedded = await run(project, process.execPath, "out/embed/main.js")
    assert.match(embedded, /status: 'COMPLETED',\s+result: 'HELLO'/)
    const postgres = await run(
      project,
      process.execPath,
      "-e",
      "import('venom/postgres').then((m) => console.log(Object.keys(m)))"
    )
    assert.include(postgres, "PostgresStateRepository")
    const typed = await run(project, process.execPath, "out/typed/main.js")
    assert.match(typed, /^sent as mail-3$/m)
  })

  it("lets a bundler leave out what is not used", async () => {
    await writeFile(
      join(project, "page.js"),
      'import { TaskStatus } from "venom/client"\nconsole.log(TaskStatus.literals)'
    )
    const build = await rolldown({ input: join(project, "page.js"), platform: "browser", logLevel: "warn" })
    const { output } = await build.generate({ format: "esm", minify: true })
    await build.close()
    const used = output[0].moduleIds.map((id) => relative(join(project, "node_modules"), id))
    assert.include(used, join("venom", "domain", "Task.js"))
    assert.notInclude(used, join("venom", "client", "VenomClient.js"))
  })

  it("has the program", async () => {
    assert.match(await run(project, "npx", "--no-install", "venom", "--version"), /^venom v\d/)
  })

  it("has the page", async () => {
    const venom = join("node_modules", "venom", "bin", "venom.js")
    const child = spawn(process.execPath, [venom, "serve", "--port", "0", "--store", "memory"], { cwd: project, env })
    try {
      let said = ""
      while (!/"url":"[^"]+"/.test(said)) said += (await once(child.stderr, "data"))[0]
      const url = /"url":"([^"]+)"/.exec(said)?.[1] ?? ""
      const page = await (await fetch(url)).text()
      const program = /<script type="module"[^>]* src="\.(\/assets\/[^"]+)"/.exec(page)?.[1]
      assert.isDefined(program, page)
      assert.strictEqual((await fetch(url + program)).status, 200)
    } finally {
      child.kill("SIGKILL")
      await once(child, "close")
    }
  })
})
