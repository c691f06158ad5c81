import { Clock, Effect } from "effect"
import type { Instant } from "../domain/Task.ts"

/** The shortest sleep: what is due and was not done is in other hands for a moment. */
const shortest = 10

/** Sleeps until the wall clock has come to an instant, however it is set meanwhile; `longest` in milliseconds. */
export const sleepUntil = Effect.fnUntraced(function* (instant: Instant, longest: number) {
  const left = Effect.map(Clock.currentTimeMillis, (now) => instant - now)
  for (let wait = Math.max(yield* left, shortest); wait > 0; wait = yield* left) {
    yield* Effect.sleep(Math.min(wait, longest))
  }
})
