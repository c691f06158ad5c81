import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"
import { statuses, wordOf } from "./Status.tsx"
import { Saved, Since } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

const minute = 60_000

const endedIn = ({ minutes }: Wire.Statistics, at: number): number => {
  const found = minutes.find((one) => Date.parse(one.at) === at)
  if (found === undefined) return 0
  return found.completed + Object.values(found.failed).reduce((sum, failed) => sum + failed, 0)
}

/** Tasks that end in a second: those of this minute, and as much of the last one as makes it whole. */
const throughput = (statistics: Wire.Statistics): number => {
  const now = Clock.now()
  const begun = Math.floor(now / minute) * minute
  const last = endedIn(statistics, begun - minute) * (1 - (now - begun) / minute)
  return (last + endedIn(statistics, begun)) / 60
}

interface Given {
  readonly queue: Wire.Queue | undefined
  readonly storage: Wire.Storage | undefined
  readonly statistics: Wire.Statistics | undefined
}

/** How it goes, at one look. */
export const Header = ({ queue, statistics, storage }: Given) => {
  const oldest = queue?.oldest_due ?? null
  const saved = storage?.saved_at ?? null
  return (
    <dl class="figures">
      {statuses.map((status) => (
        <div
          key={status}
          class={`figure is-${wordOf(status)}`}
          title={status === "FAILED" ? "those that were cancelled too" : undefined}
        >
          <dt>{wordOf(status)}</dt>
          <dd>
            <a href={Route.href("tasks", { status })}>
              {queue === undefined ? "–" : Format.count(queue.counts[status] ?? 0)}
            </a>
          </dd>
        </div>
      ))}
      <div class="figure">
        <dt>running</dt>
        <dd>
          <a href={Route.href("tasks", { status: "PROCESSING" })}>
            {queue === undefined ? "–" : Format.count(queue.running)}
          </a>
          <small> of {queue === undefined ? "–" : Format.count(queue.limit)}</small>
        </dd>
      </div>
      <div class="figure">
        <dt>oldest due</dt>
        <dd>{oldest === null ? "none" : <Since at={oldest} />}</dd>
      </div>
      <div class="figure">
        <dt>throughput</dt>
        <dd>
          {statistics === undefined ? "–" : Format.rate(throughput(statistics))}
          <small> per s</small>
        </dd>
      </div>
      <div class="figure">
        <dt>saved</dt>
        <dd>{saved === null ? "–" : <Saved at={saved} />}</dd>
      </div>
    </dl>
  )
}
