import { Duration, Effect, Exit, Option } from "effect"
import type { FileOptions } from "../../src/adapters/file/FileStateRepository.ts"
import * as FlowEntry from "../../src/adapters/file/FlowEntry.ts"
import * as Segment from "../../src/adapters/file/Segment.ts"
import type { TaskId, VenomTask } from "../../src/domain/Task.ts"
import { defaults, type EngineSettings } from "../../src/engine/EngineSettings.ts"
import { Chance } from "./Chance.ts"
import { Clients, outcome } from "./Clients.ts"
import { DeletedDumps } from "./DeletedDumps.ts"
import { directory, History, minute } from "./History.ts"
import { Life } from "./Life.ts"
import { Fallback } from "./Fallback.ts"
import type { Ending } from "./Known.ts"
import { checkStopped } from "./StoppedDirectory.ts"
import type { Tally } from "./Tally.ts"
import { brief } from "./TaskChecks.ts"
import { Watch } from "./Watch.ts"
import { Weather } from "./Weather.ts"

/** What becomes of one process. */
export interface LifePlan {
  readonly files: Omit<FileOptions, "directory">
  readonly settings: Partial<EngineSettings>
  /** Plans what happens in it. */
  readonly happens: (life: Life) => void
  /** Whether it goes on until every task is finished, and stops then. */
  readonly untilAllIsDone: boolean
  /** Whether the power goes after it ended by itself. */
  readonly powerGoes: boolean
}

/** Who makes the plans: asked before each life, with all that they need to make them. */
export type Planner = (simulation: Simulation, life: number) => LifePlan | undefined

export interface Report {
  readonly seed: number
  /** What was promised and not kept; none in a good run. */
  readonly violation: string | undefined
  readonly trace: ReadonlyArray<string>
  readonly tally: Tally
  readonly lives: number
  readonly operations: number
  readonly tasks: number
}

/** With `interval`, how long what was told may wait for its sync, which takes some calls that take their time. */
const lateBy = 100

/** However many attempts and pauses it takes, in the end all is done. */
const endsWithin = 7 * 24 * 60 * minute

/** Several lives over one disk, and the model that all of them are held to. */
export class Simulation {
  readonly history: History
  readonly weather: Weather
  readonly clients: Clients
  /** The worst that has happened since a process last knew all tasks. */
  #before: Ending = "stop"
  /** How this life ends by force. */
  #dead: Ending | undefined
  /** Since a process last knew all tasks. */
  #lostPower = false
  #dumpIsDamaged = false
  readonly #fallback: Fallback
  /** Of this life. */
  #watch: Watch
  #failedSyncsBefore = 0
  /** The last life has ended with a storage that was whole. */
  #endedWell = false
  readonly #deletedDumps: DeletedDumps

  constructor(seed: number) {
    this.history = new History(seed)
    this.#fallback = new Fallback(this.history)
    this.#deletedDumps = new DeletedDumps(this.history)
    this.weather = new Weather(this.history, () => this.#fallback.expose())
    this.#watch = new Watch(this.history, this.weather, this.#fallback, 0)
    // a removed directory is noticed by the next write
    this.clients = new Clients(
      this.history,
      (life) => this.weather.hasSettled && life.isRunning && !this.history.model.mayMiss
    )
  }

  run(planner: Planner): Report {
    const { disk, model, seed, tally, trace } = this.history
    let lives = 0
    while (this.history.violation === undefined) {
      const plan = planner(this, lives + 1)
      if (plan === undefined) break
      this.#live(++lives, plan)
    }
    if (this.history.violation === undefined) this.#startOnceMore()
    const { violation } = this.history
    return { seed, violation, trace, tally, lives, operations: disk.operations, tasks: model.tasksSeen }
  }

  /** The process, or with it the machine, dies at this moment. */
  end(life: Life, ending: "kill" | "power"): void {
    if (life.exit !== undefined || life.isDead) return
    this.#dead = ending
    life.isDead = true
  }

  /** A bit of the newest dump changes between two lives, where the one before and the journal have it all. */
  damageDump(): void {
    const { model, note, tally } = this.history
    // whoever removes a directory leaves nothing to go back to
    if (model.mayLose || !this.#fallback.damageNewest()) return
    note("a bit of the dump changes")
    tally.count("damaged dump")
    this.#dumpIsDamaged = true
  }

  /** Somebody deletes both dumps between two lives. */
  deleteDumps(): void {
    // there is more than them then
    if (this.#endedWell) this.#deletedDumps.delete()
  }

  /** Files of the journal. */
  get segments(): number {
    return Array.from(this.history.disk.files(directory).keys(), Segment.numberOf).filter(Option.isSome).length
  }

  stop(life: Life): void {
    if (life.isStopping) return
    this.history.model.stops()
    this.history.note("told to stop")
    life.stop()
  }

  /** One process, from its start to its end by whatever comes first. */
  #live(number: number, plan: LifePlan): void {
    const { history, weather } = this
    const { disk, model, world } = history
    history.note(`LIFE ${number} after ${this.#before}`)
    const troublesBefore = weather.troublesBegun
    this.#failedSyncsBefore = this.#failedSyncs
    const wasCalm = weather.isCalm
    weather.lifeBegins()
    disk.onFailedSync = () => {}
    disk.onOperation = ({ number, path, syscall }) => history.note(`disk ${number} ${syscall} ${path}`)
    const life = this.#begin(plan)
    plan.happens(life)
    life.start()

    const limit = world.now + endsWithin
    const isOver = () => history.violation !== undefined || life.isDead || life.exit !== undefined
    const isAllDone = () => model.isSettled && model.overdue(this.#wallClock).length === 0
    const isDone = () => plan.untilAllIsDone && life.isRunning && isAllDone() && !this.clients.areWaiting
    for (;;) {
      const why = world.run({ done: () => isOver() || isDone(), limit, moment: () => life.observe() })
      if (isOver()) break
      if (life.isStopping || !isAllDone()) {
        history.fail(`nothing more would happen (${why}): ${model.tasks.map(brief).join(", ")}`)
        break
      }
      this.stop(life)
    }
    life.observe()
    this.#end(life, wasCalm && weather.troublesBegun === troublesBefore, plan.powerGoes)
  }

  /** Somebody has deleted more than others have. */
  get #mayMiss(): boolean {
    return this.history.model.mayMiss || this.#deletedDumps.areMissing
  }

  get #failedSyncs(): number {
    const { tally } = this.history
    return tally.of("failed fsync EIO") + tally.of("failed fsync ENOSPC") + tally.of("failed fsync EDQUOT")
  }

  get #refusedIsCut(): boolean {
    return !this.#lostPower && !this.history.tally.all.some(([what]) => what.startsWith("failed ftruncate"))
  }

  get #wallClock(): number {
    return this.history.world.clock.currentTimeMillisUnsafe()
  }

  #begin(plan: Pick<LifePlan, "files" | "settings">): Life {
    const { disk, entries, flow, model, note, seed, workload, world } = this.history
    this.#dead = undefined
    this.#endedWell = false
    flow.begins()
    const watch = new Watch(this.history, this.weather, this.#fallback, this.#watch.lastWritable)
    this.#watch = watch
    const settings = { ...defaults, maxAttempts: workload.maxAttempts, ...plan.settings }
    model.begins(plan.files.fsync === "interval", {
      COMPLETED: Duration.toMillis(settings.retention),
      FAILED: Duration.toMillis(settings.retentionFailed ?? settings.retention),
      count: settings.retentionCount
    })
    let orphans: ReadonlyArray<VenomTask> = []
    const running = new Map<TaskId, number>()
    const tells = new Chance(`${seed} space ${disk.operations}`).happens(0.5)
    const life: Life = new Life({
      world,
      chance: new Chance(`${seed} process ${disk.operations}`),
      disk: disk.fileSystem,
      // a disk that warns of its end is never filled to the last byte: half of them do not
      space: () =>
        Effect.sync(() => {
          const total = Math.min(disk.capacity, 2 ** 40)
          return tells ? Option.some({ free: Math.max(0, total - disk.used), total }) : Option.none()
        }),
      files: { ...plan.files, directory },
      settings,
      runner: workload.runner({
        began: (task) => {
          note(`runs ${brief(task)}`)
          model.began(task)
          const other = running.get(task.id)
          if (other !== undefined) this.history.fail(`${brief(task)} begins while attempt ${other} still runs`)
          running.set(task.id, task.attempt)
        },
        succeeded: (task) => note(`worked ${brief(task)}`),
        ended: ({ id }) => running.delete(id)
      }),
      said: (level, text) => this.#said(level, text),
      observe: (life) => watch.observe(life),
      opened: (tasks) => {
        note(`opened with ${tasks.map(brief).join(", ")}`)
        const found = { isDurable: life.isWritable, refusedIsCut: this.#refusedIsCut }
        this.#deletedDumps.started(tasks)
        const { mayMiss } = model
        model.recovers(tasks, this.#before, found)
        flow.opened(life.entries.find(({ name }) => name === FlowEntry.name)?.value)
        entries.recovers(life.entries, this.#before, { ...found, mayMiss, hasTask: (key) => model.hasHad(key) })
        orphans = tasks.filter(({ status }) => status === "PROCESSING")
      },
      started: (tasks) => {
        note("started")
        // it waits for storage
        if (!life.isWritable) return
        for (const orphan of orphans) {
          const now = tasks.find(({ id }) => id === orphan.id)
          if (now?.revision === orphan.revision)
            this.history.fail(`${brief(orphan)} was left by a dead process and is still`)
        }
      }
    })
    return life
  }

  #said(level: string, text: string): void {
    this.history.note(`log ${level} ${text}`)
    this.history.tally.count(`log ${text.split(/[:(,]| \/|\d/)[0]?.trim()}`)
    if (level !== "Error" || text.startsWith("Attempt died")) return
    if (/defect|died/.test(text)) this.history.fail(`${level}: ${text}`)
    // only when power went can more than an end be missing
    const isExpected = this.#lostPower || this.#mayMiss || (this.#dumpIsDamaged && text.includes("state_dump.json"))
    if (!text.startsWith("Damage was found")) return
    if (isExpected) this.#deletedDumps.told()
    else this.history.fail(text)
  }

  #end(life: Life, wasCalm: boolean, powerGoes: boolean): void {
    const { history } = this
    const { disk, model, world } = history
    history.note(`ends by ${this.#dead ?? "itself"}${life.exit === undefined ? "" : `: ${outcome(life.exit)}`}`)
    const sureUntil = this.#watch.lastWritable - lateBy - 40 * (disk.latency[1] + this.weather.slowest)
    model.ends(sureUntil, this.#wallClock)
    history.entries.ends(sureUntil)
    this.clients.leave()
    this.#endedWell = life.isOpen && life.isWritable
    if (life.exit !== undefined && Exit.isFailure(life.exit)) {
      if (wasCalm && !this.#mayMiss) history.fail(`it ended on a good disk: ${outcome(life.exit)}`)
      // somebody removed files, and of that a crash left a part: whoever did it does it again, with all of them
      if (model.mayMiss) {
        model.directoryRemoved(false)
        disk.removeTree(directory)
      }
      if (!life.isOpen) this.#deletedDumps.refused()
    }
    const inOrder = wasCalm && life.exit !== undefined && Exit.isSuccess(life.exit)
    if (inOrder) {
      const wrong = checkStopped(disk.files(directory), life.tasks)
      if (wrong !== undefined) history.fail(wrong)
    }
    world.forget()
    // a life that cannot write leaves damage where it is
    if (life.orchestrator !== undefined && this.#watch.couldWrite) {
      this.#lostPower = false
      this.#dumpIsDamaged = false
    }
    let ending: Ending = this.#dead ?? (inOrder ? "stop" : "kill")
    let syncFailed = false
    const lostPower = ending === "power" || (this.#dead === undefined && powerGoes)
    const phase = life.orchestrator !== undefined ? (life.isStopping ? "stopping" : "running") : "starting"
    const how = this.#dead ?? (Exit.isSuccess(life.exit ?? Exit.void) ? "itself" : "a start refused")
    history.tally.count(`end by ${how} while ${phase}`)
    if (lostPower) {
      if (this.#dead === undefined) history.note("and then the power goes")
      this.#lostPower = true
      this.#fallback.doubt()
      disk.powerOff()
      if (!inOrder) ending = "power"
    } else syncFailed = disk.kill()
    // of a file that failed a sync, what is in memory alone is not sure to be found
    const inDoubt = syncFailed || (life.isOpen ? !life.isWritable : this.#failedSyncs > this.#failedSyncsBefore)
    if (ending === "kill" && inDoubt) ending = "power"
    if (life.isOpen || ending === "power" || this.#before === "stop") this.#before = ending
  }

  #startOnceMore(): void {
    this.weather.calm()
    this.history.note("ONCE MORE")
    const life = this.#begin({ files: {}, settings: {} })
    life.start()
    const { world } = this.history
    world.run({
      done: () => this.history.violation !== undefined || life.exit !== undefined || life.orchestrator !== undefined,
      limit: world.now + minute,
      moment: () => life.observe()
    })
    if (life.orchestrator === undefined) this.history.fail("it does not start again")
  }
}
