/** Where one was in a list, to come back to. */
export interface Place {
  readonly selected: string | undefined
  /** The task that stays the first one. */
  readonly held: string | undefined
  readonly scroll: number
}

const start: Place = { selected: undefined, held: undefined, scroll: 0 }
const places = new Map<string, Place>()

export const at = (list: string): Place => places.get(list) ?? start

export const keep = (list: string, part: Partial<Place>): void => {
  places.set(list, { ...at(list), ...part })
}

export const forget = (list: string): void => {
  places.delete(list)
}

/** The id after this one: what is older than it begins with this one. */
export const above = (id: string): string => {
  const digits = id.replaceAll("-", "")
  const next = (BigInt(`0x${digits}`) + 1n).toString(16).padStart(32, "0")
  return [0, 8, 12, 16, 20].map((from, index) => next.slice(from, [8, 12, 16, 20, 32][index])).join("-")
}
