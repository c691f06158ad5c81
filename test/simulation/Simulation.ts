import { Duration, Exit } from "effect"
import type { VenomTask } from "../../src/domain/Task.ts"
import { defaults } from "../../src/engine/EngineSettings.ts"
import { Chance } from "./Chance.ts"
import { Clients, outcome } from "./Clients.ts"
import type { Operation } from "./Faults.ts"
import { directory, History, minute } from "./History.ts"
import { Life } from "./Life.ts"
import { brief, type Ending } from "./Model.ts"
import { checkStopped } from "./StoppedDirectory.ts"
import { Weather } from "./Weather.ts"

export interface Report {
  readonly seed: number
  /** What was promised and not kept; none in a good run. */
  readonly violation: string | undefined
  readonly trace: ReadonlyArray<string>
  readonly lives: number
  readonly operations: number
  readonly tasks: number
}

/** However many attempts and pauses it takes, in the end all is done. */
const endsWithin = 7 * 24 * 60 * minute

/** One history: a seed decides every event of several lives over one disk. */
export const run = (seed: number): Report => new Simulation(seed).run()

class Simulation {
  readonly #history: History
  readonly #weather: Weather
  readonly #clients: Clients
  /** The worst that has happened since a process last knew all tasks. */
  #before: Ending = "stop"
  /** How this life ends by force. */
  #dead: Ending | undefined
  #wasWritable = false
  /** Since a process last knew all tasks. */
  #lostPower = false

  constructor(seed: number) {
    this.#history = new History(seed)
    this.#weather = new Weather(this.#history)
    // a removed directory is noticed by the next write
    this.#clients = new Clients(
      this.#history,
      (life) => this.#weather.hasSettled && life.isRunning && !this.#history.model.mayLose
    )
  }

  run(): Report {
    const { chance, disk, model, seed, trace } = this.#history
    const lives = chance.between(2, 9)
    for (let life = 1; life <= lives && this.#history.violation === undefined; life++) this.#live(life, life === lives)
    if (this.#history.violation === undefined) this.#startOnceMore()
    const { violation } = this.#history
    return { seed, violation, trace, lives, operations: disk.operations, tasks: model.tasks.length }
  }

  /** One process, from its start to its end by whatever comes first. */
  #live(number: number, isLast: boolean): void {
    const history = this.#history
    const { chance, disk, model, world } = history
    history.note(`LIFE ${number} after ${this.#before}`)
    if (chance.happens(0.2)) world.wallOffset += chance.between(-60 * minute, 60 * minute)
    disk.latency = [0.02, chance.pick(0.1, 2, 2, 50)]
    const hasTrouble = !isLast && chance.happens(0.6)
    if (!hasTrouble || chance.happens(0.7)) this.#weather.calm()
    const troublesBefore = this.#weather.troublesBegun + (this.#weather.isCalm ? 0 : -1)

    const life = this.#begin()
    disk.onOperation = ({ number, path, syscall }) => history.note(`disk ${number} ${syscall} ${path}`)
    if (!isLast) this.#planEnd(life)
    this.#clients.plan(life, isLast ? 5 : 40)
    if (hasTrouble) this.#weather.plan(life)

    const limit = world.now + endsWithin
    const isOver = () => history.violation !== undefined || life.isDead || life.exit !== undefined
    const isDone = () => isLast && life.isRunning && model.isSettled
    for (;;) {
      const why = world.run({ done: () => isOver() || isDone(), limit, moment: () => life.observe() })
      if (isOver()) break
      if (life.isStopping || !model.isSettled) {
        history.fail(`nothing more would happen (${why}): ${model.tasks.map(brief).join(", ")}`)
        break
      }
      this.#stop(life)
    }
    life.observe()
    this.#end(life, this.#weather.troublesBegun === troublesBefore)
  }

  #begin(): Life {
    const history = this.#history
    const { chance, disk, model, seed, workload, world } = history
    this.#dead = undefined
    this.#wasWritable = false
    let orphans: ReadonlyArray<VenomTask> = []
    const life: Life = new Life({
      world,
      chance: new Chance(`${seed} process ${disk.operations}`),
      disk: disk.fileSystem,
      files: {
        directory,
        dumpInterval: chance.pick("10 millis", "1 second", "1 second", "1 hour"),
        journalMaxBytes: chance.pick(2_000, 20_000, 64 * 1024 * 1024),
        ...(chance.happens(0.1) ? { maxPending: chance.between(1, 10) } : {})
      },
      settings: {
        ...defaults,
        maxAttempts: workload.maxAttempts,
        concurrency: chance.between(1, 8),
        taskTimeout: Duration.seconds(chance.pick(1, 30, 900)),
        onRestart: chance.pick("resume", "resume", "resume", "fail")
      },
      runner: workload.runner({
        began: (task) => {
          history.note(`runs ${brief(task)}`)
          model.began(task)
        },
        succeeded: (task) => history.note(`worked ${brief(task)}`)
      }),
      said: (level, text) => this.#said(level, text),
      observe: (life) => this.#observe(life),
      opened: (tasks) => {
        history.note(`opened with ${tasks.map(brief).join(", ")}`)
        model.recovers(tasks, this.#before)
        orphans = tasks.filter(({ status }) => status === "PROCESSING")
      },
      started: (tasks) => {
        history.note("started")
        for (const orphan of orphans) {
          const now = tasks.find(({ id }) => id === orphan.id)
          if (now?.revision === orphan.revision) history.fail(`${brief(orphan)} was left by a dead process and is still`)
        }
      }
    })
    return life
  }

  #said(level: string, text: string): void {
    this.#history.note(`log ${level} ${text}`)
    if (level !== "Error" || text.startsWith("Attempt died")) return
    if (/defect|died/.test(text)) this.#history.fail(`${level}: ${text}`)
    // only when power went can more than an end be missing
    if (text.startsWith("Damage was found") && !this.#lostPower) this.#history.fail(text)
  }

  /** Shows the model all that anyone could see at this moment. */
  #observe(life: Life): void {
    if (!life.isOpen) return
    const { model } = this.#history
    const { counts, tasks } = life
    model.sees(tasks)
    if (counts !== undefined) model.counted(tasks, counts)
    const { isWritable } = life
    if (isWritable && !this.#wasWritable) model.mended()
    this.#wasWritable = isWritable
  }

  /** By force while some system call is under way, by force at some time, or in good order. */
  #planEnd(life: Life): void {
    const { chance, disk, world } = this.#history
    const ending = chance.pick("power", "power", "power", "kill")
    const plug = () => {
      if (life.exit !== undefined) return
      this.#dead = ending
      life.isDead = true
    }
    const note = disk.onOperation
    const during = (isOne: (operation: Operation) => boolean, most: number) => {
      let left = Math.ceil(chance.scale(1, most))
      disk.onOperation = (operation) => {
        note(operation)
        if (isOne(operation) && --left === 0) plug()
      }
    }
    switch (chance.below(5)) {
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
      default:
        world.after(chance.scale(1, 10 * minute), plug)
    }
    if (chance.happens(0.4)) world.after(chance.scale(1, 5 * minute), () => this.#stop(life))
  }

  #stop(life: Life): void {
    if (life.isStopping) return
    this.#history.note("told to stop")
    life.stop()
  }

  #end(life: Life, wasCalm: boolean): void {
    const history = this.#history
    const { chance, disk, model, world } = history
    history.note(`ends by ${this.#dead ?? "itself"}${life.exit === undefined ? "" : `: ${outcome(life.exit)}`}`)
    model.ends()
    if (life.exit !== undefined && Exit.isFailure(life.exit)) {
      if (wasCalm && !model.mayLose) history.fail(`it ended on a good disk: ${outcome(life.exit)}`)
      // somebody removed the directory, and of that a crash left a part: whoever did it does it again
      if (model.mayLose) disk.removeTree(directory)
    }
    const inOrder = wasCalm && life.exit !== undefined && Exit.isSuccess(life.exit)
    if (inOrder) {
      const wrong = checkStopped(disk.files(directory), life.tasks)
      if (wrong !== undefined) history.fail(wrong)
    }
    world.forget()
    if (life.orchestrator !== undefined) this.#lostPower = false
    let ending: Ending = this.#dead ?? (inOrder ? "stop" : "kill")
    if (ending === "power") this.#lostPower = true
    if (this.#dead === undefined && chance.happens(0.5)) {
      history.note("and then the power goes")
      this.#lostPower = true
      disk.powerOff()
      if (!inOrder) ending = "power"
    } else if (ending === "power") disk.powerOff()
    else disk.kill()
    // of a file that failed a sync, what is in memory alone is not sure to be found
    if (ending === "kill" && life.isOpen && !life.isWritable) ending = "power"
    if (life.isOpen || ending === "power" || this.#before === "stop") this.#before = ending
  }

  #startOnceMore(): void {
    this.#weather.calm()
    this.#history.note("ONCE MORE")
    const life = this.#begin()
    const { world } = this.#history
    world.run({
      done: () => this.#history.violation !== undefined || life.exit !== undefined || life.orchestrator !== undefined,
      limit: world.now + minute,
      moment: () => life.observe()
    })
    if (life.orchestrator === undefined) this.#history.fail("it does not start again")
  }
}
