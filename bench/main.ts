import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises"
import { loadavg } from "node:os"
import { resolve } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { Arena, Missing } from "./Arena.ts"
import { profileVariable } from "./Child.ts"
import { machine } from "./report/Machine.ts"
import * as Result from "./report/Result.ts"
import * as Save from "./report/Save.ts"
import * as Table from "./report/Table.ts"
import type { Bench, Row } from "./Row.ts"
import { rows } from "./rows/all.ts"
import { type ContenderKey, isContender } from "./systems/Contenders.ts"
import type { Values } from "./Values.ts"

const usage = `npm run bench -- [options]

  --only ROW,ROW         only these rows: ${rows.map(({ name }) => name).join(", ")}
  --contenders KEY,KEY   only these contenders, and nothing is saved: venom, limit, bullmqAlways, bullmqEverysec, pgBoss, graphileWorker
  --rounds N             rounds, interleaved (3)
  --quick                tiny sizes, one round, nothing is saved: to see that it runs
  --profile DIRECTORY    every process writes its CPU profile there, and nothing is saved
  --dir DIRECTORY        where all data lives meanwhile (data/); has to be on the disk that is to be measured
`

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    contenders: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    profile: { type: "string" },
    dir: { type: "string", default: `${import.meta.dirname}/../data` },
    help: { type: "boolean", default: false }
  }
})

const say = (text: string) => process.stdout.write(text)
const list = (text: string | undefined) => text?.split(",")

const run = async (): Promise<void> => {
  const only = list(options.only)
  const unknown = [
    ...(only ?? []).filter((name) => !rows.some((row) => row.name === name)),
    ...(list(options.contenders) ?? []).filter((key) => !isContender(key))
  ]
  if (options.help || unknown.length > 0) {
    say(unknown.length > 0 ? `Unknown: ${unknown.join(", ")}\n\n${usage}` : usage)
    process.exitCode = options.help ? 0 : 2
    return
  }
  if (!existsSync(`${import.meta.dirname}/node_modules`)) {
    say("Installing the peers into bench/node_modules\n")
    const { status } = spawnSync("npm", ["ci", "--ignore-scripts"], { cwd: import.meta.dirname, stdio: "inherit" })
    if (status !== 0) throw new Error("npm ci failed in bench")
  }

  if (options.profile !== undefined) process.env[profileVariable] = resolve(options.profile)
  await mkdir(options.dir, { recursive: true })
  const home = await mkdtemp(`${resolve(options.dir)}/bench-`)
  // where the bench is root, PostgreSQL is another user
  await chmod(home, 0o755)
  const leave = () => {
    interrupted.abort()
    for (const arena of open) void arena.stop("by force")
  }
  process.once("SIGINT", leave).once("SIGTERM", leave)
  const rounds = Number(options.rounds ?? (options.quick ? 1 : 3))
  const allowed = list(options.contenders)
  const begun = new Date()
  const report: Array<Result.RowResult> = []
  try {
    say(`${Table.head(machine())}\n`)
    if (options.quick) say("Tiny sizes: this shows that it runs, its figures mean nothing.\n")
    for (const row of rows) {
      if (only !== undefined && !only.includes(row.name)) continue
      const chosen = row.contenders.filter((key) => allowed === undefined || allowed.includes(key))
      const load = loadavg()[0] ?? Number.NaN
      const measured = await measureRow(home, row, chosen, rounds, options.quick)
      if (interrupted.signal.aborted) {
        process.exitCode = 130
        return
      }
      const result = Result.of(row, measured, { rounds, load })
      report.push(result)
      say(`\n${Table.row(result)}\n`)
      // row by row: a run takes an hour, and may be ended
      if (!options.quick && options.profile === undefined && allowed === undefined)
        say(`${await Save.save({ machine: machine(), rows: report }, begun)}\n`)
    }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** All contenders, then all of them again: what else the machine does meets everyone alike. */
const measureRow = async (
  home: string,
  row: Row,
  chosen: ReadonlyArray<ContenderKey>,
  rounds: number,
  quick: boolean
) => {
  const measured = new Map<ContenderKey, Result.Measured>(
    chosen.map((key) => [key, { rounds: [], problem: undefined }])
  )
  for (let round = 1; round <= rounds; round++) {
    for (const contender of chosen) {
      const before = measured.get(contender)
      if (before === undefined || before.problem !== undefined || interrupted.signal.aborted) continue
      progress(`${row.name}, round ${round} of ${rounds}: ${contender}`)
      try {
        const values = await measureOnce(home, row, contender, quick)
        measured.set(contender, { ...before, rounds: [...before.rounds, values] })
      } catch (error) {
        if (!(error instanceof Missing || interrupted.signal.aborted))
          process.stderr.write(`\n${row.name}, ${contender}: ${error instanceof Error ? error.stack : error}\n`)
        measured.set(contender, { ...before, problem: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  progress("")
  return measured
}

/** Asked to stop by a signal: what runs is ended, nothing more begins. */
const interrupted = new AbortController()
/** Of the measurement under way. */
const open = new Set<Arena>()
const prepared = new Map<string, string>()
let arenas = 0

const measureOnce = async (home: string, row: Row, contender: ContenderKey, quick: boolean): Promise<Values> => {
  const kept = new Set<Arena>()
  const bench: Bench = {
    quick,
    arena: async (contender, from) => {
      const arena = await Arena.open(contender, home, String(++arenas), from)
      open.add(arena)
      return arena
    },
    prepared: async (name, make) => {
      const made = prepared.get(name) ?? (await make())
      prepared.set(name, made)
      return made
    },
    keep: (arena) => {
      kept.add(arena)
      return arena.directory
    }
  }
  try {
    return await row.measure(bench, contender)
  } finally {
    for (const arena of open) await (kept.has(arena) ? arena.stop("by force") : arena.close())
    open.clear()
  }
}

const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

await run()
