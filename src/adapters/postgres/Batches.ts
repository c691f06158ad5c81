import { Cause, Deferred, Effect, Exit, Latch } from "effect"

interface Asked<Ask, Answer, Error> {
  readonly ask: Ask
  readonly answer: Deferred.Deferred<Answer, Error>
}

/** Takes what may be answered together with the first one that is asked. */
export interface Bounds<Ask> {
  readonly most: number
  readonly weight: (ask: Ask) => number
}

/**
 * Answers what is asked in the order in which it is asked, and together what is asked while an answer is under way.
 * Whoever asks may stop waiting; it is answered all the same.
 */
export const make = Effect.fnUntraced(function* <Ask, Answer, Error>(
  bounds: Bounds<Ask>,
  answer: (asks: ReadonlyArray<Ask>) => Effect.Effect<ReadonlyArray<Exit.Exit<Answer, Error>>>
) {
  const waiting: Array<Asked<Ask, Answer, Error>> = []
  const mayHaveWork = yield* Latch.make(false)

  const take = (): ReadonlyArray<Asked<Ask, Answer, Error>> => {
    let weight = 0
    let count = 0
    for (const { ask } of waiting) {
      weight += bounds.weight(ask)
      if (count > 0 && weight > bounds.most) break
      count++
    }
    return waiting.splice(0, count)
  }

  const step = Effect.suspend(() => {
    const asked = take()
    if (asked.length === 0) return Effect.andThen(mayHaveWork.close, mayHaveWork.await)
    return Effect.exit(answer(asked.map(({ ask }) => ask))).pipe(
      Effect.map((exit) => {
        for (const [n, one] of asked.entries()) {
          const told = Exit.isSuccess(exit) ? exit.value[n] : Exit.failCause(exit.cause)
          Deferred.doneUnsafe(one.answer, told ?? Exit.die("there is no answer"))
        }
      }),
      Effect.uninterruptible
    )
  })
  yield* Effect.forkScoped(Effect.forever(step))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const { answer } of waiting.splice(0)) Deferred.doneUnsafe(answer, Exit.failCause(Cause.interrupt()))
    })
  )

  return (ask: Ask): Effect.Effect<Answer, Error> =>
    Effect.suspend(() => {
      const asked: Asked<Ask, Answer, Error> = { ask, answer: Deferred.makeUnsafe() }
      waiting.push(asked)
      mayHaveWork.openUnsafe()
      return Deferred.await(asked.answer)
    })
})
