import { Duration, Effect, Layer, Option } from "effect"
import { assert, describe, it } from "vitest"
import * as Schedule from "../../src/domain/Schedule.ts"
import type { Instant, TaskId, VenomTask } from "../../src/domain/Task.ts"
import { defaults } from "../../src/engine/EngineSettings.ts"
import * as Schedules from "../../src/engine/Schedules.ts"
import { TaskRunner } from "../../src/ports/TaskRunner.ts"
import { Chance } from "./Chance.ts"
import { everything } from "../support/everything.ts"
import { directory, minute, second } from "./History.ts"
import { Life } from "./Life.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { Tally } from "./Tally.ts"
import { World } from "./World.ts"

const requests: Readonly<Record<string, Schedule.ScheduleRequest>> = {
  skips: { every: "10 seconds", task: { content: "x" }, missed: "skip" },
  makesUp: { cron: "*/15 * * * * *", timeZone: "Europe/Berlin", task: { content: "y" }, missed: "once" },
  rare: { cron: "*/7 * * * *", task: { content: "z", retention: "20 minutes" }, missed: "once" }
}

/** How late a slot's task may be made: the disk takes its time. */
const promptly = 500

/** Every task that was ever visible, by its schedule and slot. */
class Ledger {
  readonly made = new Map<string, TaskId>()
  /** By schedule, how often a slot was made up for in this life. */
  madeUp: Record<string, number> = {}
  readonly #last = new Map<string, Instant>()

  sees({ createdAt, id, logs, runAt }: VenomTask): void {
    const [, name = ""] = /submitted by the schedule (\S+) for /.exec(logs[0] ?? "") ?? []
    const key = `${name} ${runAt}`
    const known = this.made.get(key)
    if (known !== undefined) return assert.strictEqual(known, id, `two runs of ${key}`)
    this.made.set(key, id)
    assert.isAbove(runAt, this.#last.get(name) ?? 0, `${name} went back`)
    this.#last.set(name, runAt)
    assert.isAtLeast(createdAt, runAt)
    if (createdAt - runAt <= promptly) return
    assert.notStrictEqual(name, "skips", `${key} was missed and not skipped`)
    this.madeUp[name] = (this.madeUp[name] ?? 0) + 1
  }
}

/** Lives of a process over one disk, each ended at some moment in one of the ways there are. */
const live = (seed: number, lives: number) => {
  const world = new World()
  const chance = new Chance(`${seed} schedules`)
  const disk = new SimulatedDisk(world, new Chance(`${seed} disk`), new Tally())
  const ledger = new Ledger()
  const ends = new Map<string, number>()
  /** The latest that any process has taken for the time: what was due then was decided then. */
  let decided = 0
  let lostPower = false
  const wallClock = () => world.clock.currentTimeMillisUnsafe()

  for (let number = 0; number < lives; number++) {
    if (chance.happens(0.1)) world.wallOffset += chance.between(-5 * minute, 5 * minute)
    const seen = new Set<VenomTask>()
    let started: Instant | undefined
    const life: Life = new Life({
      world,
      chance: new Chance(`${seed} process ${number}`),
      disk: disk.fileSystem,
      space: () => Effect.succeed(Option.none()),
      files: { directory, dumpInterval: chance.pick("1 second", "1 hour", "1 hour"), journalMaxBytes: 20_000 },
      settings: { ...defaults, retentionCount: 10, retention: Duration.hours(1), shutdownGrace: Duration.zero },
      runner: Layer.succeed(TaskRunner, { run: () => Effect.succeed("") }),
      said: (level, text) =>
        // a machine without power may take more than an end with it, where nothing was acknowledged
        assert.isFalse(level === "Error" && !(lostPower && text.startsWith("Damage was found")), text),
      opened: () => {},
      started: () => {
        started = wallClock()
        ledger.madeUp = {}
      },
      observe: ({ tasks }) => {
        for (const task of tasks) {
          if (seen.has(task)) continue
          seen.add(task)
          ledger.sees(task)
        }
      }
    })
    const ending = number === 0 ? "stop" : chance.pick("kill", "kill", "power", "power", "stop")
    let isDead = false
    let observed = -1
    const during = chance.happens(0.5)
    const after = number === 0 ? second : during ? 10 * minute : chance.scale(10, 3 * minute)
    world.after(after, () => {
      if (ending === "stop") life.stop()
      else isDead = true
    })
    let left = Math.ceil(chance.scale(1, 100))
    disk.onOperation = ({ mutates }) => {
      if (during && ending !== "stop" && mutates && --left === 0) isDead = true
    }
    life.start()
    if (number === 0) {
      const puts = Object.entries(requests).map(([name, request]) => ({
        name: `${Schedules.prefix}${name}`,
        value: Schedules.toValue(Schedule.make(name, request, undefined, wallClock()))
      }))
      world.run({ done: () => life.isRunning, limit: minute, moment: () => {} })
      for (const { name, value } of puts) {
        const put = life.repository?.put({ name, value, expects: 0, expiresAt: null, now: wallClock() })
        if (put !== undefined) life.run(put, () => {})
      }
    }
    world.run({
      done: () => isDead || life.exit !== undefined,
      limit: world.now + 20 * minute,
      moment: () => {
        if (world.now !== observed) life.observe()
        observed = world.now
      }
    })
    life.observe()
    assert.isTrue(isDead || life.exit?._tag === "Success", `life ${number} ended with ${JSON.stringify(life.exit)}`)
    const phase = started === undefined ? "starting" : "running"
    const how = `${isDead ? ending : "stop"} while ${phase}`
    ends.set(how, (ends.get(how) ?? 0) + 1)
    if (started !== undefined && number > 0) {
      // what came while it ran has run
      const [from, to] = [Math.max(started, decided), wallClock() - promptly]
      for (let slot = Math.ceil((from + 1) / 15_000) * 15_000; slot < to; slot += 15_000) {
        assert.isTrue(ledger.made.has(`makesUp ${slot}`), `${new Date(slot).toISOString()} was lost in life ${number}`)
      }
      for (const times of Object.values(ledger.madeUp)) assert.strictEqual(times, 1)
    }
    decided = Math.max(decided, wallClock())
    world.forget()
    lostPower = ending === "power" || (lostPower && started === undefined)
    if (ending === "power") disk.powerOff()
    else disk.kill()
    // it is not started again at once
    if (chance.happens(0.5)) world.now += chance.scale(1, 2 * minute)
  }
  return { ledger, ends }
}

/** A thousand take half a minute. */
const lives = everything ? 1000 : 150

describe("a slot of a schedule", () => {
  it(`has one run through ${lives} lives, by kill, power failure and stop, and none is lost that came in one`, () => {
    const { ends, ledger } = live(1, lives)
    assert.isAbove(ledger.made.size, lives)
    for (const how of ["kill while running", "kill while starting", "power while running", "stop while running"]) {
      assert.isAbove(ends.get(how) ?? 0, lives / 50, how)
    }
  }, 300_000)
})
