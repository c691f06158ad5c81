import process from "node:process"
import { Console, Context, Effect, Fiber, Layer, type Stdio } from "effect"
import * as ProgressBar from "./cli/ProgressBar.ts"
import { make, StartProgress, type Step, text } from "./ports/StartProgress.ts"

const paintEvery = "100 millis"
const logEvery = "5 seconds"

/** Shows how far the start is until it is ended. */
class Watching extends Context.Service<Watching, Fiber.Fiber<never>>()("venom/start/Watching") {}

/** The start is over: nothing is shown of it any more. */
export const over = Effect.flatMap(Watching, Fiber.interrupt)

const logged = (progress: StartProgress) =>
  Effect.forever(
    Effect.andThen(
      Effect.sleep(logEvery),
      Effect.suspend(() => {
        const step = progress.step()
        return step === undefined ? Effect.void : Effect.logInfo(text(step))
      })
    )
  )

/** A bar, and what removes it from its line. */
const painted = Effect.fnUntraced(function* (progress: StartProgress, line: Line) {
  let shown: { readonly doing: string; readonly bar: ProgressBar.ProgressBar } | undefined
  const paint = Effect.fnUntraced(function* ({ doing, done, total }: Step) {
    if (shown?.doing !== doing) {
      shown = { doing, bar: yield* ProgressBar.make(doing, { columns: process.stderr.columns }) }
    }
    line.isTaken = true
    yield* shown.bar.to(done, total)
  })
  return yield* Effect.forever(
    Effect.andThen(
      Effect.sleep(paintEvery),
      Effect.suspend(() => {
        const step = progress.step()
        return step === undefined ? Effect.void : paint(step)
      })
    )
  ).pipe(Effect.ensuring(Effect.sync(() => line.clear())))
})

/** The last line of the terminal. */
class Line {
  isTaken = false
  clear(): void {
    if (this.isTaken) process.stderr.write("\r\u001b[K")
    this.isTaken = false
  }
}

/** A console that does not write into the bar. */
const besides = (line: Line): Console.Console =>
  Object.assign(Object.create(globalThis.console), {
    error: (...parts: ReadonlyArray<unknown>) => {
      line.clear()
      globalThis.console.error(...parts)
    }
  })

/** Shows how far a start is that takes long: a bar on a terminal, else a line in the log now and then. */
export const layer: Layer.Layer<Watching, never, Stdio.Stdio> = Layer.unwrap(
  Effect.sync(() => {
    const progress = make()
    const line = new Line()
    const isTerminal = process.stderr.isTTY === true
    const watching = Layer.effect(Watching, Effect.forkScoped(isTerminal ? painted(progress, line) : logged(progress)))
    return Layer.mergeAll(
      watching,
      Layer.succeed(StartProgress, progress),
      isTerminal ? Layer.succeed(Console.Console, besides(line)) : Layer.empty
    )
  })
)
