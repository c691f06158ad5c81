import type * as Answer from "./Answer.ts"
import { Chart, type Series } from "./Chart.tsx"
import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"
import type * as Wire from "./Wire.ts"

const minute = 60_000
const reasons = ["error", "defect", "timeout", "cancelled", "crashed", "rejected"] as const
const nothing: Omit<Wire.Minute, "at"> = { submitted: 0, completed: 0, retried: 0, failed: {}, wait: null, run: null }

type Told = Omit<Wire.Minute, "at"> | undefined

/** Each minute of the last hour; before the service began to count there is none to tell of. */
const hour = ({ minutes, since }: Wire.Statistics): ReadonlyArray<readonly [at: number, told: Told]> => {
  const known = new Map(minutes.map((one) => [Date.parse(one.at), one]))
  const newest = Math.max(Math.floor(Clock.now() / minute) * minute, ...known.keys())
  return Array.from({ length: 60 }, (_, index) => {
    const at = newest - (59 - index) * minute
    return [at, known.get(at) ?? (at + minute > Date.parse(since) ? nothing : undefined)]
  })
}

const seconds = (value: number): string => (value === 0 ? "0" : Format.span(value * 1000))

/** How it went within the last hour. */
export const Charts = ({ statistics }: { readonly statistics: Answer.Answer<Wire.Statistics> }) => {
  const { error, value } = statistics
  const told = value === undefined ? [] : hour(value)
  const at = told.map(([at]) => at)
  const of = (read: (minute: NonNullable<Told>) => number | null): ReadonlyArray<number | null> =>
    told.map(([, minute]) => (minute === undefined ? null : read(minute)))
  const failedAs = (reason: (typeof reasons)[number]) => of(({ failed }) => failed[reason] ?? 0)
  const failed: ReadonlyArray<Series> = reasons
    .map((name, index) => ({ name, tone: `reason-${index}`, values: failedAs(name) }))
    .filter(({ values }) => values.some((count) => (count ?? 0) > 0))
  return (
    <section aria-labelledby="charts">
      <div class="view-head">
        <h1 id="charts">Charts</h1>
        <p class="note">The last hour, as this process saw it. The newest minute is not over yet.</p>
      </div>
      {error === undefined ? null : <p class="trouble">{error.message}</p>}
      {value === undefined ? null : (
        <div class="charts">
          <Chart
            title="Throughput"
            unit="tasks per minute"
            kind="lines"
            at={at}
            write={Format.count}
            measure="count"
            series={[
              { name: "submitted", tone: "plain", values: of(({ submitted }) => submitted) },
              { name: "retried", tone: "late", values: of(({ retried }) => retried) },
              { name: "completed", tone: "good", values: of(({ completed }) => completed) },
              {
                name: "failed",
                tone: "bad",
                values: of(({ failed }) => Object.values(failed).reduce((sum, count) => sum + count, 0))
              }
            ]}
          />
          <Chart
            title="Failures by reason"
            unit="tasks per minute"
            kind="bars"
            at={at}
            write={Format.count}
            measure="count"
            series={failed}
          />
          <Chart
            title="Wait"
            unit="from due to the begin of the attempt"
            kind="lines"
            at={at}
            write={seconds}
            measure="time"
            series={[
              { name: "p50", tone: "good", values: of(({ wait }) => wait?.p50 ?? null) },
              { name: "p95", tone: "plain", values: of(({ wait }) => wait?.p95 ?? null) }
            ]}
          />
          <Chart
            title="Run"
            unit="one attempt, from begin to end"
            kind="lines"
            at={at}
            write={seconds}
            measure="time"
            series={[
              { name: "p50", tone: "good", values: of(({ run }) => run?.p50 ?? null) },
              { name: "p95", tone: "plain", values: of(({ run }) => run?.p95 ?? null) }
            ]}
          />
        </div>
      )}
    </section>
  )
}
