import type { Clock } from "effect"

/** Holders told apart before those are forgotten that have their whole share again. */
const mostHolders = 1000

export interface RequestQuota {
  /**
   * The seconds after which the holder may ask again, where this request is one too many. A request is counted once,
   * however often it is asked about.
   */
  readonly wait: (holder: string, request: object) => number | undefined
  /** Holders that are remembered. */
  readonly holders: () => number
}

/** So many requests a second for each holder; what a holder does not use is kept for it, up to what a second brings. */
export const make = (perSecond: number, clock: Clock.Clock): RequestQuota => {
  if (perSecond === Number.POSITIVE_INFINITY) return { wait: () => undefined, holders: () => 0 }
  const each = 1000 / perSecond
  const saved = 1000 - each
  /** When all that a holder has asked for would be done, at its rate. Once that has passed it is as if it had never asked. */
  const busyUntil = new Map<string, number>()
  const counted = new WeakSet<object>()
  let forgetAt = mostHolders

  const wait: RequestQuota["wait"] = (holder, request) => {
    if (counted.has(request)) return undefined
    const now = Number(clock.currentTimeNanosUnsafe()) / 1_000_000
    const until = Math.max(busyUntil.get(holder) ?? now, now)
    // numbers of milliseconds are not exact
    const tooEarly = until - now - saved
    if (tooEarly > 0.001) return Math.ceil(tooEarly / 1000)
    counted.add(request)
    busyUntil.set(holder, until + each)
    if (busyUntil.size >= forgetAt) {
      for (const [other, end] of busyUntil) if (end <= now) busyUntil.delete(other)
      forgetAt = Math.max(mostHolders, 2 * busyUntil.size)
    }
    return undefined
  }
  return { wait, holders: () => busyUntil.size }
}
