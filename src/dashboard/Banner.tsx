import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"
import * as Live from "./Live.ts"
import * as Route from "./Route.ts"
import type * as Wire from "./Wire.ts"

const kept = cache<string | null>()

/** Only there when something is wrong. */
export const Banner = ({ queue }: { readonly queue: Wire.Queue | undefined }) => {
  const connection = Live.useConnection()
  const unready = useAnswer(kept, "ready", Api.unready, { changedBy: () => false, every: 3000 })
  const whyNot = unready.value ?? null
  const heardAt = Clock.heardAt()
  // where it says why it is not ready, it is there
  const isLost = connection === "lost" && (whyNot === null || unready.error !== undefined)
  const paused = queue?.types.filter((type) => type.paused).map(({ type }) => type) ?? []
  return (
    <div class="banners" role="status">
      {isLost ? (
        <p class="banner is-bad">
          <b>Connection lost</b>, last update {heardAt === null ? "never" : Format.clock(heardAt)}. What is shown may be
          old.
        </p>
      ) : null}
      {!isLost && whyNot !== null ? (
        <p class="banner is-bad">
          <b>Not ready</b>: {whyNot}
        </p>
      ) : null}
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
