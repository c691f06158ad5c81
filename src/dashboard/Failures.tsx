import { useState } from "preact/hooks"
import type * as Answer from "./Answer.ts"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"
import { Ago, At } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

const Group = ({ group }: { readonly group: Wire.FailureGroup }) => {
  const [isWhole, setWhole] = useState(false)
  const { count, first_at, last_at, message, reason, tasks, type } = group
  const isLong = message.length > 300 || message.split("\n").length > 3
  return (
    <li class="panel failure">
      <div class="failure-count">
        <strong>{Format.count(count)}×</strong>
        <span>{reason}</span>
      </div>
      <div>
        <pre class="error">{isLong && !isWhole ? Format.excerpt(message, 300) : Format.plain(message)}</pre>
        {isLong ? (
          <button type="button" class="quiet" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? "Less of it" : "All of it"}
          </button>
        ) : null}
        <p class="note">
          <a href={Route.href("tasks", { status: "FAILED", type })}>{type}</a>
          {" · first "}
          <Ago at={first_at} />
          {" · last "}
          <Ago at={last_at} />
        </p>
        <p class="note">
          {"newest: "}
          {tasks.map((id) => (
            <a key={id} class="tag" href={Route.ofTask(id)}>
              {Format.shortId(id)}
            </a>
          ))}
        </p>
      </div>
    </li>
  )
}

/** What fails, and why: the most frequent first. */
export const Failures = ({ statistics }: { readonly statistics: Answer.Answer<Wire.Statistics> }) => {
  const groups = statistics.value?.failures
  const since = statistics.value?.since
  return (
    <section aria-labelledby="failures">
      <div class="view-head">
        <h1 id="failures">Failures</h1>
        <p class="note">
          Attempts that failed within the last hour, as far as this process knows: those that are alike together, the
          most frequent first. <a href={Route.href("tasks", { status: "FAILED" })}>All failed tasks</a>
        </p>
      </div>
      {statistics.error === undefined ? null : <p class="trouble">{statistics.error.message}</p>}
      <ul>
        {groups?.map((group) => (
          <Group key={`${group.type} ${group.reason} ${group.message}`} group={group} />
        ))}
      </ul>
      {groups?.length === 0 && since !== undefined ? (
        <p class="empty">
          No failure is known since <At at={since} />;{" "}
          <a href={Route.href("tasks", { status: "FAILED" })}>failed tasks</a> may be older.
        </p>
      ) : null}
    </section>
  )
}
