import * as FlowEntry from "../../src/adapters/file/FlowEntry.ts"
import type { VenomTask } from "../../src/domain/Task.ts"
import { DueTasks } from "./DueTasks.ts"
import type { Fallback } from "./Fallback.ts"
import type { History } from "./History.ts"
import type { Life } from "./Life.ts"
import { brief } from "./TaskChecks.ts"
import { mendsWithin, type Weather } from "./Weather.ts"

/** Shows the model all that anyone could see of one life, moment by moment. */
export class Watch {
  readonly #history: History
  readonly #weather: Weather
  readonly #fallback: Fallback
  readonly #due = new DueTasks()
  #seen: ReadonlyArray<VenomTask> = []
  #wasWritable = false
  /** When storage was last seen to be whole, in this life or before it. */
  lastWritable: number
  /** Whether it was, in this life. */
  couldWrite = false

  constructor(history: History, weather: Weather, fallback: Fallback, lastWritable: number) {
    this.#history = history
    this.#weather = weather
    this.#fallback = fallback
    this.lastWritable = lastWritable
  }

  observe(life: Life): void {
    if (!life.isOpen) return
    const { entries, flow, model, world } = this.#history
    const { isWritable, tasks } = life
    const held = life.entries.find(({ name }) => name === FlowEntry.name)
    flow.sees(held?.value, this.#seen, tasks)
    if (tasks.length !== this.#seen.length || tasks.some((task, at) => task !== this.#seen[at])) {
      this.#seen = tasks
      model.sees(tasks, world.now, this.#wallClock)
      if (life.counts !== undefined) model.counted(tasks, life.counts)
    }
    this.#checkClaims(life)
    entries.sees(life.entries, world.now, model.syncsLate, (key) => model.hasHad(key))
    if (isWritable) {
      this.lastWritable = world.now
      this.couldWrite = true
    }
    this.#fallback.sees(isWritable)
    if (isWritable && !this.#wasWritable) {
      model.mended()
      entries.mended()
    }
    if (!isWritable && this.#wasWritable) this.#awaitMending(life)
    this.#wasWritable = isWritable
  }

  get #wallClock(): number {
    return this.#history.world.clock.currentTimeMillisUnsafe()
  }

  /** What is due, and nothing holds it back, is claimed. */
  #checkClaims(life: Life): void {
    const { flow, world } = this.#history
    const mayClaim = this.#weather.hasSettled && life.isRunning && life.isWritable && flow.isFree && life.hasFreeSlot
    const waiting = this.#due.sees(this.#seen, { mayClaim, now: world.now, wallClock: this.#wallClock })
    if (waiting !== undefined) this.#history.fail(`${brief(waiting)} is due and not claimed`)
  }

  /** Whenever storage fails: once the disk is well, and has been for long enough, storage must be too. */
  #awaitMending(life: Life): void {
    this.#history.world.after(mendsWithin, () => {
      if (!life.isRunning || life.isWritable) return
      if (this.#weather.hasSettled) this.#history.fail("the disk is well again and storage is not")
      else this.#awaitMending(life)
    })
  }
}
