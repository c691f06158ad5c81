import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Mutation, mutations, planted } from "./mutations.ts"

const root = join(import.meta.dirname, "../../..")

/** Plants a bug in a copy of the project and simulates until it is found. */
const hunt = (mutation: Mutation, from: number, seeds: number) => {
  const copy = mkdtempSync(join(tmpdir(), "venom-mutant-"))
  try {
    for (const part of ["src", "test/simulation", "package.json"])
      cpSync(join(root, part), join(copy, part), { recursive: true })
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
    for (const edit of mutation.edits) {
      const path = join(copy, edit.file)
      writeFileSync(path, planted(edit, readFileSync(path, "utf8")))
    }
    const { signal, stdout } = spawnSync(
      process.execPath,
      [join(copy, "test/simulation/simulate.ts"), "--from", String(from), "--seeds", String(seeds)],
      { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 }
    )
    if (signal !== null) throw new Error(`${mutation.name}: the run was ended by ${signal}`)
    return /^Seed (\d+): (.*)$/m.exec(stdout)
  } finally {
    rmSync(copy, { recursive: true })
  }
}

/** Prints after how many histories each planted bug is found. Gives how many were not. */
export const huntAll = (from: number, seeds: number, wanted: string): number => {
  const chosen = mutations.filter(({ name }) => name.includes(wanted))
  const width = Math.max(...chosen.map(({ name }) => name.length))
  let missed = 0
  for (const mutation of chosen) {
    const found = hunt(mutation, from, seeds)
    if (found === null) missed++
    const [, seed, violation] = found ?? []
    console.log(
      `${mutation.name.padEnd(width)} | ${seed === undefined ? `not in ${seeds}` : Number(seed) - from + 1} | ${violation?.slice(0, 120) ?? ""}`
    )
  }
  return missed
}
