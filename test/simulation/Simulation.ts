import { Cause, Duration, Effect, Exit } from "effect"
import type { FileOptions } from "../../src/adapters/file/FileStateRepository.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { defaults } from "../../src/engine/EngineSettings.ts"
import { Chance } from "./Chance.ts"
import * as Faults from "./Faults.ts"
import { Life } from "./Life.ts"
import { brief, type Ending, Model } from "./Model.ts"
import { checkStopped } from "./StoppedDirectory.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { keyOf, Workload } from "./Workload.ts"
import { World } from "./World.ts"

export interface Report {
  readonly seed: number
  /** What was promised and not kept; none in a good run. */
  readonly violation: string | undefined
  readonly trace: ReadonlyArray<string>
  readonly lives: number
  readonly operations: number
  readonly tasks: number
}

export const directory = "/data/memory"

const minute = 60_000
/** After the last trouble storage must be whole again within this. */
const mendsWithin = 20_000
/** However many attempts and pauses it takes, in the end all is done. */
const endsWithin = 7 * 24 * 60 * minute

/** One history: a seed decides every event of several lives over one disk. */
export const run = (seed: number): Report => new Simulation(seed).run()

class Simulation {
  readonly #seed: number
  readonly #world = new World()
  readonly #chance: Chance
  readonly #disk: SimulatedDisk
  readonly #workload: Workload
  readonly #model: Model
  readonly #trace: Array<string> = []
  #violation: string | undefined
  #life: Life | undefined
  /** Set when this life ends by force. */
  #dead: Ending | undefined
  #submitted = 0
  #wasWritable = false
  #stopping = false
  /** The worst that has happened since a process last knew all tasks. */
  #before: Ending = "stop"
  /** No trouble began in this life. */
  #wasCalm = true
  /** When the last trouble of the disk ended; none while one lasts. */
  #calmSince: number | undefined = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#chance = new Chance(`${seed} history`)
    this.#disk = new SimulatedDisk(this.#world, new Chance(`${seed} disk`))
    this.#workload = new Workload(seed)
    this.#model = new Model(this.#workload, (violation) => this.#fail(violation))
  }

  run(): Report {
    const lives = this.#chance.between(2, 9)
    for (let life = 1; life <= lives && this.#violation === undefined; life++) {
      this.#live(life, life === lives)
    }
    if (this.#violation === undefined) this.#readAfterTheEnd()
    return {
      seed: this.#seed,
      violation: this.#violation,
      trace: this.#trace,
      lives,
      operations: this.#disk.operations,
      tasks: this.#model.tasks.length
    }
  }

  #fail(violation: string): void {
    if (this.#violation !== undefined) return
    this.#violation = violation
    this.#note(`VIOLATION ${violation}`)
  }

  #note(text: string): void {
    this.#trace.push(`${this.#world.now.toFixed(3)} ${text}`)
  }

  /** One process, from its start to its end by whatever comes first. */
  #live(number: number, isLast: boolean): void {
    const chance = this.#chance
    const world = this.#world
    this.#note(`LIFE ${number} after ${this.#before}`)
    world.wallOffset += chance.happens(0.2) ? chance.between(-3_600_000, 3_600_000) : 0
    this.#disk.latency = [0.02, chance.pick(0.1, 2, 2, 50)]
    this.#dead = undefined
    this.#stopping = false
    this.#wasWritable = false
    const troubled = !isLast && chance.happens(0.6)
    if (!troubled || chance.happens(0.7)) this.#calm()
    this.#wasCalm = this.#calmSince !== undefined
    const life = this.#begin()
    this.#disk.onOperation = (operation) =>
      this.#note(`disk ${operation.number} ${operation.syscall} ${operation.path}`)
    if (!isLast) this.#planEnd(life)
    this.#planWork(life, isLast)
    if (troubled) this.#planTrouble(life)

    const deadline = world.now + (isLast ? endsWithin : 24 * 60 * minute)
    const isOver = () => this.#violation !== undefined || this.#dead !== undefined || life.exit !== undefined
    const settled = () => isLast && !this.#stopping && life.orchestrator !== undefined && this.#model.isSettled
    for (;;) {
      const why = world.run({ done: () => isOver() || settled(), limit: deadline, moment: () => this.#observe(life) })
      if (isOver()) break
      if (this.#stopping || !this.#model.isSettled) {
        this.#fail(`nothing more would happen (${why}): ${this.#model.tasks.map(brief).join(", ")}`)
        break
      }
      this.#stop(life)
    }
    this.#observe(life)
    this.#end(life)
  }

  #begin(): Life {
    const chance = this.#chance
    const files: FileOptions = {
      directory,
      dumpInterval: chance.pick("10 millis", "1 second", "1 second", "1 hour"),
      journalMaxBytes: chance.pick(2_000, 20_000, 64 * 1024 * 1024),
      ...(chance.happens(0.1) ? { maxPending: chance.between(1, 10) } : {})
    }
    const life: Life = new Life({
      world: this.#world,
      chance: new Chance(`${this.#seed} process ${this.#disk.operations}`),
      disk: this.#disk.fileSystem,
      files,
      settings: {
        ...defaults,
        concurrency: chance.between(1, 8),
        taskTimeout: Duration.seconds(chance.pick(1, 30, 900)),
        onRestart: chance.pick("resume", "resume", "resume", "fail")
      },
      runner: this.#workload.runner({
        began: (task) => this.#note(`runs ${brief(task)}`),
        succeeded: (task) => this.#note(`worked ${brief(task)}`)
      }),
      said: (level, text) => {
        this.#note(`log ${level} ${text}`)
        if (level === "Error" && /defect|died/.test(text) && !text.startsWith("Attempt died")) this.#fail(`${level}: ${text}`)
      },
      opened: (tasks) => {
        this.#note(`opened with ${tasks.map(brief).join(", ")}`)
        this.#model.recovers(tasks, this.#before)
        this.#orphans = tasks.filter(({ status }) => status === "PROCESSING")
      },
      started: () => {
        this.#note("started")
        for (const orphan of this.#orphans) {
          const now = this.#life?.tasks.find(({ id }) => id === orphan.id)
          if (now?.revision === orphan.revision) this.#fail(`${brief(orphan)} was left by a dead process and is still`)
        }
      }
    })
    this.#life = life
    return life
  }

  #orphans: ReadonlyArray<VenomTask> = []

  #observe(life: Life): void {
    if (!life.isOpen) return
    const tasks = life.tasks
    this.#model.sees(tasks)
    const counts = life.counts
    if (counts !== undefined) this.#model.counted(tasks, counts)
    const isWritable = life.isWritable
    if (isWritable && !this.#wasWritable) this.#model.mended()
    this.#wasWritable = isWritable
  }

  /** By force after some system call, by force at some time, or in good order. */
  #planEnd(life: Life): void {
    const chance = this.#chance
    const ending = chance.pick("power", "power", "power", "kill")
    const plug = () => {
      if (this.#life === life && life.exit === undefined) this.#dead = ending
    }
    if (chance.happens(0.6)) {
      const last = this.#disk.operations + Math.ceil(chance.scale(1, 600))
      const note = this.#disk.onOperation
      this.#disk.onOperation = (operation) => {
        note(operation)
        if (operation.number === last) plug()
      }
    } else {
      this.#world.after(chance.scale(1, 10 * minute), plug)
    }
    if (chance.happens(0.4)) this.#world.after(chance.scale(1, 5 * minute), () => this.#stop(life))
  }

  #stop(life: Life): void {
    if (this.#life !== life || this.#stopping) return
    this.#note("told to stop")
    this.#stopping = true
    life.stop()
  }

  #planWork(life: Life, isLast: boolean): void {
    const chance = this.#chance
    const count = isLast ? chance.below(5) : chance.below(40)
    const within = chance.scale(10, 5 * minute)
    for (let n = 0; n < count; n++) {
      const verb = chance.pick("submit", "submit", "submit", "cancel", "retry")
      const times = verb === "submit" && chance.happens(0.2) ? chance.between(2, 12) : 1
      this.#world.after(chance.next() * within, () => {
        for (let time = 0; time < times; time++) this.#act(life, verb)
      })
    }
  }

  #act(life: Life, verb: "submit" | "cancel" | "retry"): void {
    const { orchestrator } = life
    if (orchestrator === undefined || this.#life !== life) return
    const chance = this.#chance
    if (verb === "submit") {
      const key = `k${++this.#submitted}`
      const request = this.#workload.request(key, chance)
      const later = chance.happens(0.15) ? { runAt: this.#world.clock.currentTimeMillisUnsafe() + chance.below(600_000) } : {}
      this.#note(`submit ${key}`)
      this.#model.submits(key, request)
      const hangUp = life.run(orchestrator.submit({ ...request, ...later }), (exit) => {
        this.#note(`submit ${key}: ${outcome(exit)}`)
        this.#observe(life)
        if (Exit.isSuccess(exit)) this.#model.taken(key, exit.value)
        else if (Cause.hasInterruptsOnly(exit.cause)) this.#model.hungUp(key)
        else this.#refused(key, outcome(exit))
      })
      if (chance.happens(0.05)) this.#world.after(chance.scale(0.01, 10), hangUp)
      return
    }
    const keys = this.#model.keys
    const key = keys[chance.below(keys.length)]
    const task = this.#model.tasks.find((task) => keyOf(task) === key)
    if (key === undefined || task === undefined) return
    this.#note(`${verb} ${key}`)
    this.#model.asks(verb, key)
    life.run(Effect.result(orchestrator[verb](task.id)), (exit) => {
      this.#note(`${verb} ${key}: ${outcome(exit)}`)
      this.#observe(life)
      if (Exit.isSuccess(exit) && exit.value._tag === "Success") this.#model.told(exit.value.success)
    })
  }

  #refused(key: string, why: string): void {
    this.#model.refused(key)
    const calm = this.#calmSince !== undefined && this.#world.now - this.#calmSince > mendsWithin
    // a removed directory is noticed by the next write
    if (calm && !this.#model.mayLose && why.includes("StorageError") && !this.#stopping) this.#fail(`${key} was refused though the disk is well: ${why}`)
  }

  #planTrouble(life: Life): void {
    const chance = this.#chance
    const begins = chance.happens(0.2) ? 0 : chance.scale(0.1, 3 * minute)
    const lasts = chance.scale(0.1, 30_000)
    const trouble = this.#pickTrouble(life)
    this.#world.after(begins, () => {
      if (this.#life !== life) return
      this.#calmSince = undefined
      this.#wasCalm = false
      this.#note(`trouble begins: ${trouble.name}`)
      trouble.begin()
      this.#world.after(lasts, () => {
        if (this.#life !== life) return
        this.#note("trouble ends")
        this.#calm()
        this.#world.after(mendsWithin, () => {
          const calm = this.#calmSince !== undefined && this.#world.now - this.#calmSince >= mendsWithin
          if (calm && this.#life === life && life.orchestrator !== undefined && !this.#stopping && !life.isWritable) {
            this.#fail("the disk is well again and storage is not")
          }
        })
        if (chance.happens(0.5)) this.#planTrouble(life)
      })
    })
  }

  #calm(): void {
    this.#calmSince = this.#world.now
    this.#disk.troubles = []
    this.#disk.capacity = Number.POSITIVE_INFINITY
  }

  #pickTrouble(life: Life): { readonly name: string; readonly begin: () => void } {
    const chance = this.#chance
    const disk = this.#disk
    const often = chance.scale(0.02, 1)
    const from = (name: string, trouble: Faults.Trouble) => ({
      name: `${name} ${often.toFixed(2)}`,
      begin: () => {
        disk.troubles = [trouble]
      }
    })
    switch (chance.below(10)) {
      case 0:
        return from("failing writes", Faults.failingWrites(often))
      case 1:
      case 2:
        return from("failing syncs", Faults.failingSyncs(often))
      case 3:
        return from("failing names", Faults.failingNames(often))
      case 4:
        return from("failing reads", Faults.failingReads(often))
      case 5:
        return from("short writes", Faults.shortWrites(often))
      case 6:
        return from("read only", Faults.readOnly)
      case 7:
        return from("anything fails", Faults.anything(often))
      case 8: {
        const room = chance.below(6000)
        return {
          name: `full but for ${room} bytes`,
          begin: () => {
            disk.capacity = disk.used + room
          }
        }
      }
      default:
        return {
          name: "directory removed",
          begin: () => {
            this.#model.directoryRemoved(life.isWritable)
            disk.removeTree(directory)
          }
        }
    }
  }

  #end(life: Life): void {
    this.#note(`ends by ${this.#dead ?? "itself"}${life.exit === undefined ? "" : `: ${outcome(life.exit)}`}`)
    this.#life = undefined
    this.#model.ends()
    if (life.exit !== undefined && Exit.isFailure(life.exit) && this.#wasCalm) {
      this.#fail(`it ended on a good disk: ${outcome(life.exit)}`)
    }
    const stopped = life.exit !== undefined && Exit.isSuccess(life.exit) && this.#wasCalm
    if (stopped) {
      const wrong = checkStopped(this.#disk.files(directory), life.tasks)
      if (wrong !== undefined) this.#fail(wrong)
    }
    this.#world.forget()
    let ending: Ending = this.#dead ?? (stopped ? "stop" : "kill")
    if (this.#dead === undefined && this.#chance.happens(0.5)) {
      this.#note("and then the power goes")
      this.#disk.powerOff()
      if (!stopped) ending = "power"
    } else if (ending === "power") this.#disk.powerOff()
    else this.#disk.kill()
    // of a file that failed a sync, what is in memory alone is not sure to be found
    if (ending === "kill" && life.isOpen && !life.isWritable) ending = "power"
    if (life.isOpen || ending === "power" || this.#before === "stop") this.#before = ending
  }

  #readAfterTheEnd(): void {
    this.#calm()
    const life = this.#begin()
    this.#world.run({
      done: () => this.#violation !== undefined || life.exit !== undefined || life.orchestrator !== undefined,
      limit: this.#world.now + minute,
      moment: () => this.#observe(life)
    })
    if (life.orchestrator === undefined) this.#fail("it does not start again")
  }
}

const outcome = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit) ? "done" : Cause.pretty(exit.cause).split("\n")[0] ?? ""
