import { Chance } from "./Chance.ts"
import { EntryModel } from "./EntryModel.ts"
import { FlowModel } from "./FlowModel.ts"
import { Model } from "./Model.ts"
import { SimulatedDisk } from "./SimulatedDisk.ts"
import { Tally } from "./Tally.ts"
import { Workload } from "./Workload.ts"
import { World } from "./World.ts"

export const directory = "/data/memory"
export const second = 1000
export const minute = 60 * second

/** What all parts of one simulated history share: the world, its disk, what is expected of it, and what was seen. */
export class History {
  readonly seed: number
  readonly world = new World()
  readonly chance: Chance
  readonly disk: SimulatedDisk
  readonly workload: Workload
  readonly model: Model
  readonly entries: EntryModel
  readonly flow: FlowModel
  readonly trace: Array<string> = []
  readonly tally = new Tally()
  violation: string | undefined

  constructor(seed: number) {
    this.seed = seed
    this.chance = new Chance(`${seed} history`)
    this.disk = new SimulatedDisk(this.world, new Chance(`${seed} disk`), this.tally)
    this.workload = new Workload(seed)
    this.entries = new EntryModel((violation) => this.fail(violation))
    this.flow = new FlowModel((violation) => this.fail(violation))
    this.model = new Model(this.workload, this.tally, (violation) => this.fail(violation))
  }

  readonly note = (text: string): void => {
    this.trace.push(`${this.world.now.toFixed(3)} ${text}`)
  }

  /** Somebody has deleted a file: of what was there until now a crash may leave what it likes. */
  fileRemoved(): void {
    this.model.fileRemoved()
    this.entries.fileRemoved()
  }

  /** The first promise that was not kept; what follows from it is of no interest. */
  fail(violation: string): void {
    if (this.violation !== undefined) return
    this.violation = violation
    this.note(`VIOLATION ${violation}`)
  }
}
