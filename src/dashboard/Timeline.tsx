import { useEffect, useState } from "preact/hooks"
import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"
import * as History from "./History.ts"
import { Copy } from "./Copy.tsx"
import { At } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

const iso = (at: number): string => new Date(at).toISOString()

const toneOf = ({ kind, outcome, until }: History.Part): string => {
  if (kind === "submitted") return "start"
  if (kind === "waited" || kind === "retry") return "waiting"
  if (until === undefined) return "running"
  return outcome === "completed" ? "good" : "bad"
}

const isMoment = ({ kind }: History.Part): boolean => kind === "submitted" || kind === "done"

/** The parts as they follow each other, as long as they took: the long ones do not hide the short ones. */
const Bar = ({ now, parts }: { readonly parts: ReadonlyArray<History.Part>; readonly now: number }) => (
  <div class="bar-of-time" aria-hidden="true">
    {parts
      .filter((part) => !isMoment(part))
      .map((part) => {
        const millis = Math.max(0, (part.until ?? now) - part.from)
        return (
          <div
            key={`${part.kind}${part.from}`}
            class={`is-${toneOf(part)}`}
            style={{ flexGrow: Math.sqrt(millis) + 1 }}
            title={`${part.title}: ${Format.span(millis)}`}
          />
        )
      })}
  </div>
)

const Part = ({ now, part }: { readonly part: History.Part; readonly now: number }) => {
  const tone = toneOf(part)
  const isLong = part.logs.length > 15
  const lasted = (part.until ?? now) - part.from
  return (
    <li class={`part is-${tone}`}>
      <div class="part-head">
        <At at={iso(part.from)} />
        <strong>{part.title}</strong>
        {isMoment(part) ? null : (
          <span class="lasted">
            {part.until === undefined ? "for " : ""}
            {Format.span(part.until === undefined ? Math.floor(lasted / 1000) * 1000 : lasted)}
          </span>
        )}
      </div>
      {part.error === null ? null : <pre class="error">{Format.plain(part.error)}</pre>}
      {part.logs.length === 0 ? null : (
        <ol class={isLong ? "lines is-long" : "lines"} {...(isLong ? { tabIndex: 0 } : {})}>
          {part.logs.map(({ at, text }, index) => (
            <li key={index}>
              {at === 0 ? null : <At at={iso(at)} />}
              <span>{Format.plain(text)}</span>
            </li>
          ))}
        </ol>
      )}
    </li>
  )
}

/** What has become of a task, from its submit on: waits, attempts, errors and logs, in one place. */
export const Timeline = ({ task }: { readonly task: Wire.Task }) => {
  const parts = History.of(task)
  const goesOn = parts.some(({ until }) => until === undefined)
  const [now, setNow] = useState(Clock.now)
  useEffect(() => (goesOn ? Clock.everySecond(() => setNow(Clock.now())) : undefined), [goesOn])
  const firstKept = task.attempts[0]?.attempt ?? 1
  return (
    <section class="panel" aria-labelledby="timeline">
      <div class="panel-head">
        <h2 id="timeline">What happened</h2>
        <Copy label="Copy the log" text={() => task.logs.join("\n")} />
      </div>
      <Bar parts={parts} now={now} />
      {firstKept > 1 ? <p class="note">Attempts before {firstKept} are not kept.</p> : null}
      <ol class="parts">
        {parts.map((part) => (
          <Part key={`${part.kind}${part.from}`} part={part} now={Math.max(now, part.from)} />
        ))}
      </ol>
    </section>
  )
}
