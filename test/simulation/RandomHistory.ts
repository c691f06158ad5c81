import { Duration } from "effect"
import type { Operation } from "./Faults.ts"
import { minute, second } from "./History.ts"
import type { Life } from "./Life.ts"
import { type Planner, type Report, Simulation } from "./Simulation.ts"

/** One history: a seed decides every event of several lives over one disk. */
export const run = (seed: number): Report => {
  const simulation = new Simulation(seed)
  const lives = simulation.history.chance.between(2, 9)
  return simulation.run((_, life) => (life > lives ? undefined : plan(simulation, life === lives)))
}

const plan = (simulation: Simulation, isLast: boolean): ReturnType<Planner> => {
  const { clients, history, weather } = simulation
  const { chance, disk, world } = history
  if (chance.happens(0.2)) world.wallOffset += chance.between(-60 * minute, 60 * minute)
  if (chance.happens(0.1)) simulation.damageDump()
  if (!isLast && chance.happens(simulation.segments === 1 ? 0.3 : 0.02)) simulation.deleteDumps()
  disk.latency = [0.02, chance.pick(0.1, 2, 2, 50)]
  const hasTrouble = !isLast && chance.happens(0.6)
  if (!hasTrouble || chance.happens(0.7)) weather.calm()
  return {
    files: {
      dumpInterval: chance.pick("10 millis", "1 second", "1 second", "1 second", "10 seconds", "1 hour"),
      journalMaxBytes: chance.pick(2_000, 20_000, 64 * 1024 * 1024),
      fsync: chance.happens(0.15) ? "interval" : "always",
      ...(chance.happens(0.1) ? { maxPending: chance.between(1, 10) } : {})
    },
    settings: {
      concurrency: chance.between(1, 8),
      taskTimeout: Duration.seconds(chance.pick(1, 30, 900)),
      onRestart: chance.pick("resume", "resume", "resume", "fail"),
      ...(chance.happens(0.3) ? { retention: Duration.millis(chance.scale(second, 10 * minute)) } : {}),
      ...(chance.happens(0.2) ? { retentionFailed: Duration.millis(chance.scale(second, 10 * minute)) } : {}),
      ...(chance.happens(0.3) ? { retentionCount: chance.between(1, 20) } : {})
    },
    happens: (life) => {
      if (!isLast) planEnd(simulation, life, hasTrouble)
      const within = clients.plan(life, isLast ? 5 : 28)
      // whoever holds something back then takes a moment for it
      if (isLast) clients.free(life, within + second)
      if (hasTrouble) weather.plan(life, within)
    },
    untilAllIsDone: isLast,
    powerGoes: chance.happens(0.5)
  }
}

/** By force while some system call is under way, or not long after a trouble began, or at some time, or in good order. */
const planEnd = (simulation: Simulation, life: Life, hasTrouble: boolean): void => {
  const { chance, disk, world } = simulation.history
  const ending = chance.pick("power", "power", "power", "kill")
  const note = disk.onOperation
  const troublesBefore = simulation.weather.troublesBegun
  const during = (isOne: (operation: Operation) => boolean, most: number) => {
    let left = Math.ceil(chance.scale(1, most))
    disk.onOperation = (operation) => {
      note(operation)
      if (isOne(operation) && --left === 0) simulation.end(life, ending)
    }
  }
  switch (chance.below(hasTrouble ? 7 : 5)) {
    case 0:
      during(() => true, 60)
      break
    case 1:
      during(({ mutates }) => life.isRunning && mutates, 300)
      break
    case 2:
      during(({ path, syscall }) => life.isRunning && syscall === "fsync" && path.endsWith(".jsonl"), 50)
      break
    case 3:
      during(({ path, syscall }) => life.isRunning && syscall !== "fsync" && !path.endsWith(".jsonl"), 100)
      break
    case 5:
      disk.onFailedSync = () => world.after(chance.scale(0.1, 5 * second), () => simulation.end(life, ending))
      break
    case 6:
      during(({ mutates }) => simulation.weather.troublesBegun > troublesBefore && mutates, 60)
      break
    default:
      world.after(chance.scale(1, 10 * minute), () => simulation.end(life, ending))
  }
  const longest = 12 * minute
  world.after(chance.happens(0.4) ? chance.scale(1, longest) : longest, () => simulation.stop(life))
}
