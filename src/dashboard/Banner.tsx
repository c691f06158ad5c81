import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"
import * as Live from "./Live.ts"
import * as Route from "./Route.ts"
import type * as Wire from "./Wire.ts"

const kept = cache<string | null>()

interface Given {
  readonly queue: Wire.Queue | undefined
  /** What was asked for and refused, of what is asked again and again. */
  readonly errors: ReadonlyArray<Api.Refused | undefined>
}

/** Only there when something is wrong. */
export const Banner = ({ errors, queue }: Given) => {
  const connection = Live.useConnection()
  const unready = useAnswer(kept, "ready", Api.unready, { changedBy: () => false, every: 3000 })
  // what was said before nothing was answered may be over
  const whyNot = unready.error === undefined ? (unready.value ?? null) : null
  const heardAt = Clock.heardAt()
  const isLost = connection === "lost"
  const trouble = errors.find((error) => error !== undefined && Api.isTrouble(error))
  const paused = queue?.types.filter((type) => type.paused).map(({ type }) => type) ?? []
  return (
    <div class="banners" role="status">
      {isLost ? (
        <p class="banner is-bad">
          <b>Connection lost</b>, last update {heardAt === null ? "never" : Format.clock(heardAt)}. What is shown may be
          old.
        </p>
      ) : null}
      {!isLost && trouble !== undefined ? (
        <p class="banner is-bad">
          <b>Not up to date</b>, last update {heardAt === null ? "never" : Format.clock(heardAt)}: {trouble.message}
        </p>
      ) : null}
      {whyNot === null ? null : (
        <p class="banner is-bad">
          <b>Not ready</b>: {whyNot}
        </p>
      )}
      {queue?.paused ? (
        <p class="banner is-warning">
          <b>The queue is paused</b>: nothing begins until it is resumed. <a href={Route.href("queue")}>Queue</a>
        </p>
      ) : null}
      {paused.length > 0 ? (
        <p class="banner is-warning">
          <b>Paused</b>: {paused.slice(0, 5).join(", ")}
          {paused.length > 5 ? ` and ${Format.counted(paused.length - 5, "more type")}` : ""}.{" "}
          <a href={Route.href("queue")}>Queue</a>
        </p>
      ) : null}
    </div>
  )
}
