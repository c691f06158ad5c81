import { useEffect, useState } from "preact/hooks"
import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"

/** A text that changes with time, drawn again only when it does. */
const useText = (write: (now: number) => string): string => {
  const [, redraw] = useState("")
  useEffect(() => Clock.everySecond(() => redraw(write(Clock.now()))))
  return write(Clock.now())
}

/** How far away a time is; hover for the time itself. */
export const Ago = ({ at }: { readonly at: string }) => {
  const text = useText((now) => Format.distance(Date.parse(at), now))
  return (
    <time dateTime={at} title={Format.exact(at)}>
      {text}
    </time>
  )
}

/** How long ago something has happened, to a tenth of a second while that matters. */
export const Saved = ({ at }: { readonly at: string }) => {
  const text = useText((now) => {
    const away = Math.max(0, now - Date.parse(at))
    return away < 10_000 ? `${(away / 1000).toFixed(1)} s ago` : Format.distance(now - away, now)
  })
  return (
    <time dateTime={at} title={Format.exact(at)}>
      {text}
    </time>
  )
}

/** How long something has been going on. */
export const Since = ({ at }: { readonly at: string }) => {
  const text = useText((now) => Format.roughly(now - Date.parse(at)))
  return (
    <time dateTime={at} title={`since ${Format.exact(at)}`}>
      {text}
    </time>
  )
}

/** The time of day. */
export const At = ({ at }: { readonly at: string }) => (
  <time dateTime={at} title={Format.exact(at)}>
    {Format.clock(Date.parse(at))}
  </time>
)
