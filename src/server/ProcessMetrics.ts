import { monitorEventLoopDelay } from "node:perf_hooks"
import process from "node:process"
import { type Context, Effect, Metric } from "effect"

/** Names as other programs on Node have them: dashboards know them. */
const resident = Metric.gauge("process_resident_memory_bytes", { description: "Memory of the process" })
const heap = Metric.gauge("nodejs_heap_size_used_bytes", { description: "Heap in use" })
const heapTotal = Metric.gauge("nodejs_heap_size_total_bytes", { description: "Heap taken from the system" })
const cpu = Metric.counter("process_cpu_seconds_total", { description: "Processor time used" })
const started = Metric.gauge("process_start_time_seconds", { description: "When the process started, since 1970" })
const delay = (which: string) =>
  Metric.gauge(`nodejs_eventloop_lag_${which}_seconds`, {
    description: "How late the event loop was since the last time this was read"
  })
const p50 = delay("p50")
const p99 = delay("p99")
const worst = delay("max")

/** Milliseconds between two looks at the loop, which the delay of a loop with nothing to do includes. */
const resolution = 10

/** Reads what the process takes, when that is asked for; the loop is watched meanwhile. */
export const make = Effect.gen(function* () {
  const loop = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  )
  const seconds = (nanos: number) => Math.max(0, nanos / 1e9 - resolution / 1000)
  let cpuBefore = 0
  return Effect.contextWith((context: Context.Context<never>) =>
    Effect.sync(() => {
      const { heapTotal: total, heapUsed, rss } = process.memoryUsage()
      resident.updateUnsafe(rss, context)
      heap.updateUnsafe(heapUsed, context)
      heapTotal.updateUnsafe(total, context)
      const { system, user } = process.cpuUsage()
      const used = (system + user) / 1e6
      cpu.updateUnsafe(used - cpuBefore, context)
      cpuBefore = used
      started.updateUnsafe(Math.round(Date.now() / 1000 - process.uptime()), context)
      p50.updateUnsafe(seconds(loop.percentile(50)), context)
      p99.updateUnsafe(seconds(loop.percentile(99)), context)
      worst.updateUnsafe(seconds(loop.max), context)
      loop.reset()
    })
  )
})
