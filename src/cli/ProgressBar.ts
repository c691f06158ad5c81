import { Clock, Effect, Stdio, Stream } from "effect"
import * as Ago from "./Ago.ts"
import * as SafeText from "./SafeText.ts"

/** What is over before is not worth a bar. */
const quietFor = 1000

const barWidth = 24

/** How far it is, and how long it may take yet. */
export const text = (what: string, done: number, total: number | undefined, millis: number): string => {
  const count = done.toLocaleString("en")
  if (total === undefined || total === 0) return `${what}  ${count}`
  const filled = Math.floor((done / total) * barWidth)
  const left = done === 0 ? "" : `  ${Ago.span((millis * (total - done)) / done)} left`
  return `${what}  ${"█".repeat(filled)}${"░".repeat(barWidth - filled)}  ${Math.floor((100 * done) / total)} %  ${count} of ${total.toLocaleString("en")}${left}`
}

export interface ProgressBar {
  readonly to: (done: number, total?: number) => Effect.Effect<void>
  /** Leaves the line empty. */
  readonly clear: Effect.Effect<void>
}

/** A line on stderr that tells how far something has come; only on a terminal, and only once it has taken a second. */
export const make = Effect.fnUntraced(function* (
  what: string,
  options: { readonly total?: number; readonly columns: number | undefined; readonly from?: number }
): Effect.fn.Return<ProgressBar, never, Stdio.Stdio> {
  const stdio = yield* Stdio.Stdio
  const isTerminal = yield* stdio.stderrIsTerminal
  const begun = yield* Clock.currentTimeMillis
  const { columns = 80, from = 0 } = options
  let isShown = false
  // a bar that cannot be shown is no trouble
  const write = (line: string) =>
    Effect.ignore(Stream.run(Stream.succeed(`\r\u001b[K${line}`), stdio.stderr({ endOnDone: false })))
  return {
    to: Effect.fnUntraced(function* (done, total = options.total) {
      const millis = (yield* Clock.currentTimeMillis) - begun
      if (!isTerminal || millis < quietFor) return
      isShown = true
      const share = total === undefined ? undefined : total - from
      yield* write(SafeText.cut(text(what, done - from, share, millis), columns - 1))
    }),
    clear: Effect.suspend(() => (isShown ? write("") : Effect.void))
  }
})

export type Tell = (step: { readonly what: string; readonly done: number; readonly total: number }) => void

/** Work that tells how far it is, with a bar that is painted meanwhile. */
export const during = <A, E, R>(
  columns: number | undefined,
  work: (tell: Tell) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Stdio.Stdio> =>
  Effect.gen(function* () {
    let step: Parameters<Tell>[0] | undefined
    let bar: { readonly what: string; readonly bar: ProgressBar } | undefined
    const paint = Effect.gen(function* () {
      yield* Effect.sleep(paintEvery)
      if (step === undefined) return
      if (bar?.what !== step.what) bar = { what: step.what, bar: yield* make(step.what, { columns }) }
      yield* bar.bar.to(step.done, step.total)
    })
    const told = work((now) => {
      step = now
    })
    return yield* Effect.raceFirst(told, Effect.forever(paint)).pipe(
      Effect.ensuring(Effect.suspend(() => bar?.bar.clear ?? Effect.void))
    )
  })

const paintEvery = "100 millis"
