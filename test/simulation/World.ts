import { type Clock, Duration, Effect, Scheduler } from "effect"
import { Heap } from "../../src/adapters/memory/Heap.ts"

interface Timer {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/**
 * All that happens, one thing after the other: what fibers do, what disks answer, what clients want. Time
 * passes only when nothing is left to do now, and then at once. Nothing real is asked: no clock, no timer,
 * no chance, no thread. What the world forgets never happens: that is how a process dies.
 */
export class World {
  /** Virtual milliseconds since the beginning. */
  now = 0
  /** Added to `now` for who reads the wall clock. */
  wallOffset = Date.UTC(2026, 0, 1)
  #soon: Array<() => void> = []
  #timers = new Heap<Timer>((a, b) => (a.at !== b.at ? a.at < b.at : a.order < b.order))
  #order = 0

  /** Runs `run` in `delay` milliseconds; gives a way to call it off. */
  after(delay: number, run: () => void): () => void {
    const timer: Timer = { at: this.now + Math.max(0, delay), order: this.#order++, run }
    this.#timers.push(timer)
    return () => {
      timer.run = undefined
    }
  }

  /** A machine's end: nothing that was to happen will. */
  forget(): void {
    this.#soon = []
    this.#timers = new Heap<Timer>((a, b) => (a.at !== b.at ? a.at < b.at : a.order < b.order))
  }

  /**
   * Lets things happen until `done`, or until `limit`; `moment` is called after each. Says why it ended:
   * `idle` is when nothing would ever happen again.
   */
  run(options: {
    readonly done: () => boolean
    readonly limit: number
    readonly moment: () => void
  }): "done" | "limit" | "idle" {
    for (;;) {
      while (this.#soon.length > 0) {
        const tasks = this.#soon
        this.#soon = []
        for (const [at, task] of tasks.entries()) {
          task()
          if (options.done()) {
            this.#soon.unshift(...tasks.slice(at + 1))
            return "done"
          }
        }
        options.moment()
      }
      if (options.done()) return "done"
      const timer = this.#timers.pop()
      if (timer === undefined) return "idle"
      if (timer.run === undefined) continue
      if (timer.at > options.limit) {
        this.#timers.push(timer)
        this.now = options.limit
        return "limit"
      }
      this.now = Math.max(this.now, timer.at)
      timer.run()
      if (options.done()) return "done"
      options.moment()
    }
  }

  readonly scheduler: Scheduler.Scheduler = new Scheduler.MixedScheduler("async", (run) => {
    let wanted = true
    this.#soon.push(() => {
      if (wanted) run()
    })
    return () => {
      wanted = false
    }
  })

  readonly clock: Clock.Clock = (() => {
    const millis = () => Math.floor(this.now + this.wallOffset)
    const nanos = () => BigInt(Math.floor((this.now + this.wallOffset) * 1000)) * 1000n
    const monotonic = () => BigInt(Math.floor(this.now * 1_000_000))
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const call = this.after(Duration.toMillis(duration), () => resume(Effect.void))
          return Effect.sync(call)
        })
    }
  })()
}
