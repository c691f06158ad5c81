import { parseArgs } from "node:util"
import { run } from "./Simulation.ts"

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    all: { type: "boolean", default: false }
  }
})
const from = Number(values.from)
const to = from + Number(values.seeds) - 1
const begun = performance.now()
let operations = 0
let lives = 0
for (let seed = from; seed <= to; seed++) {
  const report = run(seed)
  operations += report.operations
  lives += report.lives
  if (report.violation !== undefined && values.all) {
    console.log(`Seed ${seed}: ${report.violation}`.slice(0, 300))
    continue
  }
  if (report.violation !== undefined || values.trace) {
    console.log((values.trace ? report.trace : report.trace.slice(-60)).join("\n"))
  }
  if (report.violation !== undefined) {
    console.log(`\nSeed ${seed}: ${report.violation}\nAgain, with its whole history: npm run simulate -- --seeds 1 --from ${seed} --trace`)
    process.exitCode = 1
    break
  }
  if ((seed - from + 1) % 500 === 0) console.log(`${seed - from + 1} histories, ${lives} lives, ${operations} system calls, ${Math.round(performance.now() - begun)} ms`)
}
console.log(`${lives} lives, ${operations} system calls, ${Math.round(performance.now() - begun)} ms`)
