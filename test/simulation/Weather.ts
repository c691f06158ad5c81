import { Option } from "effect"
import * as Segment from "../../src/adapters/file/Segment.ts"
import * as Faults from "./Faults.ts"
import { directory, type History, minute, second } from "./History.ts"
import type { Life } from "./Life.ts"

/** After the last trouble of the disk storage must be whole again within this. */
export const mendsWithin = 20 * second

/** What befalls the disk: troubles that begin and end. */
export class Weather {
  readonly #history: History
  /** Told of a file that somebody has deleted. */
  readonly #fileRemoved: () => void
  /** When the last trouble ended; none while one lasts. */
  #calmSince: number | undefined = 0
  #troublesBegun = 0
  #slowest = 0

  constructor(history: History, fileRemoved: () => void) {
    this.#history = history
    this.#fileRemoved = fileRemoved
  }

  get isCalm(): boolean {
    return this.#calmSince !== undefined
  }

  /** Grows with each trouble. */
  get troublesBegun(): number {
    return this.#troublesBegun
  }

  /** Milliseconds more than usual that a call of this life may take. */
  get slowest(): number {
    return this.#slowest
  }

  lifeBegins(): void {
    if (this.isCalm) this.#slowest = 0
  }

  /** Whether the disk has been well for so long that storage must be whole. */
  get hasSettled(): boolean {
    return this.#calmSince !== undefined && this.#history.world.now - this.#calmSince >= mendsWithin
  }

  calm(): void {
    const { disk, world } = this.#history
    this.#calmSince = world.now
    disk.troubles = []
    disk.capacity = Number.POSITIVE_INFINITY
  }

  /** This one operation meets a fault. */
  strike(fault: Faults.Fault): void {
    const { disk, world } = this.#history
    this.#begin(`at this operation: ${JSON.stringify(fault)}`)
    if ("delay" in fault) this.#slowest = fault.delay
    disk.troubles = [
      () => {
        disk.troubles = []
        return fault
      }
    ]
    world.after(0, () => this.calm())
  }

  /** From now on, for `millis`. */
  befall(name: string, begin: () => void, millis: number): void {
    this.#begin(name)
    begin()
    this.#history.world.after(millis, () => {
      this.#history.note("trouble ends")
      this.calm()
    })
  }

  /** Somebody deletes it all. */
  removeDirectory(life: Life): void {
    const { disk, model } = this.#history
    model.directoryRemoved(life.isWritable)
    disk.removeTree(directory)
  }

  /** Somebody deletes one file: most often the one that is being written. */
  removeFile(): void {
    const { chance, disk, note } = this.#history
    const names = Array.from(disk.files(directory).keys())
    const segment = names
      .filter((name) => Option.isSome(Segment.numberOf(name)))
      .sort()
      .at(-1)
    const name = chance.happens(0.6) && segment !== undefined ? segment : names[chance.below(names.length)]
    if (name === undefined) return
    note(`somebody deletes ${name}`)
    disk.removeFile(`${directory}/${name}`)
    this.#history.fileRemoved()
    this.#fileRemoved()
  }

  #begin(name: string): void {
    this.#calmSince = undefined
    this.#troublesBegun++
    this.#history.note(`trouble begins: ${name}`)
    this.#history.tally.count(`trouble ${name.replace(/ [\d.]+/, "")}`)
  }

  /** Plans troubles for a life; the first begins while something is asked of it, in the first `within` milliseconds. */
  plan(life: Life, within: number): void {
    const history = this.#history
    const { chance, world } = history
    const begins = chance.happens(0.2)
      ? 0
      : chance.happens(0.5)
        ? chance.next() * within
        : chance.scale(0.1, 3 * minute)
    const lasts = chance.scale(0.1, 30 * second)
    const trouble = this.#pick(life)
    const again = chance.happens(0.5)
    world.after(begins, () => {
      this.befall(trouble.name, trouble.begin, lasts)
      if (again) world.after(lasts, () => this.plan(life, within))
    })
  }

  #pick(life: Life): { readonly name: string; readonly begin: () => void } {
    const { chance, disk } = this.#history
    const often = chance.scale(0.02, 1)
    const from = (name: string, trouble: Faults.Trouble) => ({
      name: `${name} ${often.toFixed(2)}`,
      begin: () => {
        disk.troubles = [trouble]
      }
    })
    switch (chance.below(13)) {
      case 0:
        return from("failing writes", Faults.failingWrites(often))
      case 1:
      case 2:
        return from("failing syncs", Faults.failingSyncs(chance.scale(0.1, 1)))
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
      case 8:
        return from("failing closes", Faults.failingClose(often))
      case 9:
        return {
          name: "hanging",
          begin: () => {
            this.#slowest = Faults.longestHang
            disk.troubles = [Faults.hanging(often)]
          }
        }
      case 10: {
        const room = chance.below(6000)
        return {
          name: `full but for ${room} bytes`,
          begin: () => {
            disk.capacity = disk.used + room
          }
        }
      }
      case 11:
        return { name: "file removed", begin: () => this.removeFile() }
      default:
        return {
          name: "directory removed",
          begin: () => {
            this.removeDirectory(life)
          }
        }
    }
  }
}
