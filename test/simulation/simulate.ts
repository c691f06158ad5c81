import { parseArgs } from "node:util"
import { missing } from "./coverage.ts"
import { huntAll } from "./mutants/run.ts"
import { run } from "./RandomHistory.ts"
import type { Report } from "./Simulation.ts"
import { Tally } from "./Tally.ts"

const usage = `npm run simulate -- [--seeds 1000] [--from 1] [--trace] [--all] [--coverage] [--mutants [name]]

  --seeds N    histories, one for each seed
  --from N     the first seed
  --trace      print every event of every history
  --all        go on after a broken promise
  --coverage   print how often each thing has happened
  --mutants    plant bugs, and tell after how many histories each is found`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    coverage: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})
const from = Number(values.from)
const seeds = Number(values.seeds)

/** Events shown of a history that broke a promise. */
const shown = 60
const progressEvery = 500

const tell = ({ seed, trace, violation }: Report): void => {
  if (values.trace || (violation !== undefined && !values.all)) {
    console.log((values.trace ? trace : trace.slice(-shown)).map((event) => event.slice(0, 400)).join("\n"))
  }
  if (violation === undefined) return
  console.log(`Seed ${seed}: ${violation.slice(0, 400)}`)
  console.log(`  its whole history: npm run simulate -- --seeds 1 --from ${seed} --trace`)
}

const simulate = (): boolean => {
  const begun = performance.now()
  const sum = { histories: 0, lives: 0, operations: 0, tasks: 0, broken: 0 }
  const tally = new Tally()
  const progress = () =>
    console.log(
      `${sum.histories} histories: ${sum.lives} lives, ${sum.tasks} tasks, ${sum.operations} system calls, ${sum.broken} broken promises, ${Math.round(performance.now() - begun)} ms`
    )
  for (let seed = from; seed < from + seeds; seed++) {
    const report = run(seed)
    sum.histories++
    tally.add(report.tally)
    sum.lives += report.lives
    sum.operations += report.operations
    sum.tasks += report.tasks
    if (report.violation !== undefined) sum.broken++
    tell(report)
    if (sum.broken > 0 && !values.all) break
    if (sum.histories % progressEvery === 0) progress()
  }
  if (sum.histories % progressEvery !== 0) progress()
  if (values.coverage) {
    for (const [what, times] of tally.all) console.log(`${String(times).padStart(9)}  ${what}`)
    for (const what of missing(tally)) console.log(`    never  ${what}`)
  }
  return sum.broken === 0
}

if (values.help) console.log(usage)
else if (values.mutants) process.exitCode = huntAll(from, seeds, positionals.join(" ")) === 0 ? 0 : 1
else process.exitCode = simulate() ? 0 : 1
