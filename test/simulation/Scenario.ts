import { Duration } from "effect"
import { second } from "./History.ts"
import type { Life } from "./Life.ts"
import { type Report, Simulation } from "./Simulation.ts"

/** What befalls the first life at its `n`-th system call. */
export type Blow = (simulation: Simulation, life: Life) => void

/**
 * A short history with a bit of everything in it: a start, tasks one by one and together, a cancel, dumps, and a
 * stop. At system call number `n` the blow falls; then comes a second life, which must find all in order.
 */
export const run = (seed: number, n: number, blow: Blow): Report & { readonly fell: boolean } => {
  const simulation = new Simulation(seed)
  const { clients, history } = simulation
  const { disk, world } = history
  disk.latency = [0.02, 0.1]
  let fell = false
  const act = (life: Life, delay: number, what: () => void) =>
    world.after(delay, () => {
      if (life.isRunning) what()
    })
  const report = simulation.run((_, number) => {
    if (number > 2) return undefined
    const isFirst = number === 1
    return {
      files: { dumpInterval: "1 second" },
      settings: { concurrency: 2, taskTimeout: Duration.seconds(1) },
      untilAllIsDone: !isFirst,
      powerGoes: isFirst && seed % 2 === 0,
      happens: (life) => {
        if (!isFirst) return
        const note = disk.onOperation
        disk.onOperation = (operation) => {
          note(operation)
          if (operation.number !== n) return
          fell = true
          blow(simulation, life)
        }
        act(life, 5, () => clients.submit(life))
        act(life, 6, () => clients.insertTogether(life))
        act(life, 8, () => clients.change(life, "cancel"))
        act(life, 40, () => clients.submit(life))
        world.after(1.5 * second, () => simulation.stop(life))
      }
    }
  })
  return { ...report, fell }
}
