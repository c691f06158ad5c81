/** Random numbers from a seed: the same seed, the same numbers (sfc32). */
export class Chance {
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: number | string) {
    const [a, b, c] = hash(String(seed))
    this.#a = a
    this.#b = b
    this.#c = c
    for (let round = 0; round < 12; round++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A whole number, 0 ≤ n < `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  /** A whole number, `from` ≤ n ≤ `to`. */
  between(from: number, to: number): number {
    return from + this.below(to - from + 1)
  }

  /** Between `from` and `to`; small numbers are as likely as large ones. */
  scale(from: number, to: number): number {
    return from * (to / from) ** this.next()
  }

  happens(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(first: A, ...rest: ReadonlyArray<A>): A {
    return rest[this.below(rest.length + 1) - 1] ?? first
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256))
  }
}

/** FNV-1a, three times over. */
const hash = (text: string): [number, number, number] => {
  const one = (start: number): number => {
    let h = start | 0
    for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
    return h
  }
  return [one(0x811c9dc5), one(0x9e3779b9), one(0x85ebca6b)]
}
