import { Effect, type Exit } from "effect"
import type { World } from "./World.ts"

/** Runs an effect in a simulated world, to its end. */
export const inWorld = <A, E>(world: World, effect: Effect.Effect<A, E>): Exit.Exit<A, E> => {
  let ended: Exit.Exit<A, E> | undefined
  Effect.runFork(effect, { scheduler: world.scheduler }).addObserver((exit) => {
    ended = exit
  })
  world.run({ done: () => ended !== undefined, limit: Number.POSITIVE_INFINITY, moment: () => {} })
  if (ended === undefined) throw new Error("it would never end")
  return ended
}
