import { useEffect, useState } from "preact/hooks"
import * as Api from "./Api.ts"
import * as Clock from "./Clock.ts"
import { reader, type ServerEvent } from "./ServerSentEvents.ts"

export type Connection = "begins" | "open" | "lost"

type Listener = (events: ReadonlyArray<ServerEvent>) => void

/** Nothing was heard for so long: the service says something every 15 seconds. */
const silence = 40_000
const longestWait = 5000

let connection: Connection = "begins"
const watchers = new Set<(connection: Connection) => void>()
const listeners = new Set<Listener>()

const become = (state: Connection): void => {
  if (connection === state) return
  connection = state
  for (const watch of watchers) watch(connection)
}

/** What everything that is shown may have missed. */
const everything: ReadonlyArray<ServerEvent> = [{ event: "reset", data: "{}" }]

/** Has everything that is shown asked for anew. */
export const stir = (): void => {
  for (const tell of listeners) tell(everything)
}

/** Hears what happens, in the order in which it does. */
export const listen = (listener: Listener): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useConnection = (): Connection => {
  const [shown, show] = useState(connection)
  useEffect(() => {
    watchers.add(show)
    show(connection)
    return () => {
      watchers.delete(show)
    }
  }, [])
  return shown
}

/** A browser has few connections for one place: a page that nobody looks at gives its own away after a while. */
const patience = 20_000

const whenHidden = (stop: () => void): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(stop, patience)
  }
  document.addEventListener("visibilitychange", look)
  look()
  return () => {
    clearTimeout(timer)
    document.removeEventListener("visibilitychange", look)
  }
}

const untilVisible = (): Promise<void> =>
  new Promise((resolve) => {
    if (!document.hidden) return resolve()
    const look = () => {
      if (document.hidden) return
      document.removeEventListener("visibilitychange", look)
      resolve()
    }
    document.addEventListener("visibilitychange", look)
  })

/** One stream until it ends; gives the place to come back to. */
const follow = async (lastEventId: string, signal: AbortSignal): Promise<string> => {
  const cut = new AbortController()
  const stop = () => cut.abort()
  signal.addEventListener("abort", stop)
  let watchdog = setTimeout(stop, silence)
  const unwatch = whenHidden(stop)
  const incoming = reader(lastEventId)
  try {
    const headers: Record<string, string> = lastEventId === "" ? {} : { "last-event-id": lastEventId }
    const response = await Api.ask("api/v1/events", { headers, signal: cut.signal })
    become("open")
    stir()
    const decoder = new TextDecoder()
    const body = response.body?.getReader()
    for (;;) {
      const piece = await body?.read()
      if (piece === undefined || piece.done) return incoming.lastEventId
      clearTimeout(watchdog)
      watchdog = setTimeout(stop, silence)
      Clock.heard()
      const events = incoming.take(decoder.decode(piece.value, { stream: true }))
      if (events.length > 0) for (const tell of listeners) tell(events)
    }
  } catch {
    // whatever cut it, it is taken up again where it was
    return incoming.lastEventId
  } finally {
    clearTimeout(watchdog)
    unwatch()
    signal.removeEventListener("abort", stop)
  }
}

const pause = (millis: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(done, millis)
    signal.addEventListener("abort", done, { once: true })
  })

/** Follows the service until it is stopped, over every loss of the connection. */
export const start = (): (() => void) => {
  const stopped = new AbortController()
  const { signal } = stopped
  const run = async () => {
    let place = ""
    let wait = 250
    while (!signal.aborted) {
      const begun = Date.now()
      place = await follow(place, signal)
      if (signal.aborted) return
      if (document.hidden) {
        await untilVisible()
        continue
      }
      become("lost")
      wait = Date.now() - begun > 10_000 ? 250 : Math.min(wait * 2, longestWait)
      await pause(wait * (0.75 + Math.random() / 2), signal)
    }
  }
  void run()
  return () => {
    stopped.abort()
    connection = "begins"
  }
}
