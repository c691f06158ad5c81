/** By how much the service is ahead of this browser, where that matters: clocks a second apart are the same. */
let ahead = 0

let last: number | null = null

/** When something was last heard of the service, by the clock of this browser. */
export const heardAt = (): number | null => last

/** The service has said something; with the time that it has, where it tells. */
export const heard = (date: string | null = null): void => {
  last = Date.now()
  if (date === null) return
  const difference = Date.parse(date) + 500 - Date.now()
  ahead = Math.abs(difference) > 2000 ? difference : 0
}

/** The time of the service, in milliseconds. */
export const now = (): number => Date.now() + ahead

type Listener = () => void
const listeners = new Set<Listener>()
let timer: ReturnType<typeof setInterval> | undefined

/** Calls once a second while somebody listens. */
export const everySecond = (listener: Listener): (() => void) => {
  listeners.add(listener)
  timer ??= setInterval(() => {
    if (document.hidden) return
    for (const tell of listeners) tell()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}
