import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, loadavg, platform, release, totalmem } from "node:os"
import process from "node:process"
import { debianPostgres, findProgram } from "../servers/Programs.ts"

export interface Machine {
  readonly processors: string
  readonly memoryGiB: number
  readonly system: string
  /** How busy it was as the run began. */
  readonly load: number
  readonly versions: Readonly<Record<string, string>>
}

const firstLine = (program: string | undefined): string => {
  if (program === undefined) return "missing"
  return /\d+(\.\d+)+/.exec(execFileSync(program, ["--version"], { encoding: "utf8" }))?.[0] ?? "unknown"
}

const ours: ReadonlyArray<string> = ["bullmq", "fastify", "graphile-worker", "ioredis", "pg", "pg-boss"]

const versionOf = (path: string): string => {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"))
  return version
}

export const machine = (): Machine => ({
  processors: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`,
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
  system: `${platform()} ${release()}`,
  load: loadavg()[0] ?? Number.NaN,
  versions: {
    node: process.versions.node,
    venom: versionOf("../../package.json"),
    effect: versionOf("../../node_modules/effect/package.json"),
    redis: firstLine(findProgram("redis-server", [])),
    postgresql: firstLine(findProgram("postgres", debianPostgres())),
    ...Object.fromEntries(ours.map((name) => [name, versionOf(`../node_modules/${name}/package.json`)]))
  }
})
