import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import * as Route from "./Route.ts"
import type * as Wire from "./Wire.ts"

const kept = cache<Wire.Why>()

const pauses = new Set(["paused", "type_paused", "type_limit", "key_limit", "queue_limit", "rate_limit"])

/** Why a task is not running, or not done: asked anew all the time, for its reasons change without a word of it. */
export const WhyPanel = ({ task }: { readonly task: Wire.Task }) => {
  const why = useAnswer(kept, task.id, (signal) => Api.why(task.id, signal), { every: 2000 })
  const reasons = why.value?.reasons ?? []
  return (
    <section class="panel why" aria-labelledby="why">
      <h2 id="why">{task.status === "PENDING" ? "Why is it not running?" : "Why is it not done?"}</h2>
      {why.error === undefined ? null : <p class="trouble">{why.error.message}</p>}
      {why.value === undefined ? null : reasons.length === 0 ? (
        <p>{why.value.sentence}</p>
      ) : (
        <ul>
          {reasons.map(({ code, message }) => (
            <li key={code}>
              <span>{message}</span> {pauses.has(code) ? <a href={Route.href("queue")}>Queue</a> : null}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
