import { Clock, Effect } from "effect"

/** What is less is how far a question and its answer are apart. */
const grain = 50

/**
 * The time of the database: nodes share it, whatever their own clocks say. It stands apart from this machine's by what
 * was measured last; only the wall clock does, spans are measured here.
 */
export const make = () => {
  const own = Clock.Clock.defaultValue()
  let apart = 0
  const millis = () => own.currentTimeMillisUnsafe() + apart
  const nanos = () => own.currentTimeNanosUnsafe() + BigInt(apart) * 1_000_000n
  const clock: Clock.Clock = {
    ...own,
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => own.monotonicTimeNanosUnsafe(),
    sleep: (duration) => own.sleep(duration)
  }
  return {
    clock,
    /** The database said this time, at that time of this machine. */
    set: (database: number, here: number): void => {
      const measured = Math.round(database - here)
      if (Math.abs(measured - apart) > grain) apart = measured
    }
  }
}
