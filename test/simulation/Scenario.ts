import { Duration } from "effect"
import { second } from "./History.ts"
import type { Life } from "./Life.ts"
import { type LifePlan, type Report, Simulation } from "./Simulation.ts"

/** What befalls a life at one system call. */
export type Blow = (simulation: Simulation, life: Life) => void

export interface Options {
  readonly seed: number
  /** The system call at which the blow falls, counted from the beginning. */
  readonly at: number
  readonly blow: Blow
  /** What is wrong with the disk anyway, in the middle of the first life. */
  readonly trouble: Blow | undefined
}

/**
 * A short history with a bit of everything in it. In the first life tasks are submitted one by one and together,
 * cancelled and retried, dumps are made, and the power goes. The second finds what that has left, goes on, and
 * stops in order. The blow falls in one of these; a third must find all in order and end every task.
 */
export const run = ({ at, blow, seed, trouble }: Options): Report & { readonly struck: boolean } => {
  const simulation = new Simulation(seed)
  const { clients, history, weather } = simulation
  const { disk, world } = history
  disk.latency = [0.02, 0.1]
  let struck = false

  const strikeIn = (life: Life) => {
    const note = disk.onOperation
    disk.onOperation = (operation) => {
      note(operation)
      if (operation.number !== at) return
      struck = true
      blow(simulation, life)
    }
  }
  const plan = (options: Partial<LifePlan>): LifePlan => ({
    files: { dumpInterval: "1 second" },
    settings: { concurrency: 2, taskTimeout: Duration.seconds(1) },
    untilAllIsDone: false,
    powerGoes: seed % 2 === 0,
    happens: strikeIn,
    ...options
  })
  const act = (life: Life, delay: number, what: () => void) =>
    world.after(delay, () => {
      if (life.isRunning) what()
    })

  const report = simulation.run((_, number) => {
    if (number === 1) {
      return plan({
        happens: (life) => {
          strikeIn(life)
          act(life, 5, () => clients.submit(life))
          act(life, 6, () => clients.insertTogether(life))
          act(life, 8, () => clients.change(life, "cancel"))
          act(life, 9, () => clients.change(life, "retry"))
          if (trouble !== undefined) act(life, 20, () => trouble(simulation, life))
          for (const delay of [21, 40, 1500]) act(life, delay, () => clients.submit(life))
          // in the middle of what the last submit sets going
          world.after(1501, () => simulation.end(life, "power"))
        }
      })
    }
    if (number === 2) {
      return plan({
        happens: (life) => {
          weather.calm()
          strikeIn(life)
          act(life, 5, () => clients.submit(life))
          act(life, 6, () => clients.change(life, "retry"))
          world.after(1.5 * second, () => simulation.stop(life))
        }
      })
    }
    return number === 3 ? plan({ untilAllIsDone: true, happens: () => weather.calm() }) : undefined
  })
  return { ...report, struck }
}
