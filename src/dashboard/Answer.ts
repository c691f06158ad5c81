import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import * as Api from "./Api.ts"
import * as Live from "./Live.ts"
import type { ServerEvent } from "./ServerSentEvents.ts"

export interface Answer<A> {
  /** The newest there is, also while the next is asked for or was refused. */
  readonly value: A | undefined
  readonly error: Api.Refused | undefined
  readonly reload: () => void
}

export interface Options {
  /** Which events change the answer; every one without. */
  readonly changedBy?: (event: ServerEvent) => boolean
  /** Milliseconds after which it is asked for again, whatever happens. */
  readonly every?: number
  /** Not asked for now. */
  readonly isIdle?: boolean
  /** Milliseconds from one question to the next at least. */
  readonly gap?: number
}

/** Between two questions, so that a busy service is not kept busy by those who look at it. */
const usualGap = 500
/** And so many times as long as the last answer took: a search through a million contents takes seconds. */
const rest = 10
const coalesced = 120

/** What was answered, by what was asked: shown at once when it is looked at again. */
export interface Cache<A> {
  readonly get: (key: string) => A | undefined
  readonly set: (key: string, value: A) => void
}

const mostKept = 20
const caches = new Set<() => void>()

export const cache = <A>(): Cache<A> => {
  const kept = new Map<string, A>()
  caches.add(() => kept.clear())
  return {
    get: (key) => kept.get(key),
    set: (key, value) => {
      kept.delete(key)
      kept.set(key, value)
      for (const oldest of kept.keys()) {
        if (kept.size <= mostKept) break
        kept.delete(oldest)
      }
    }
  }
}

/** Nothing of what was seen is left: somebody else may look now. */
export const forget = (): void => {
  for (const clear of caches) clear()
}

const isChange = ({ event }: ServerEvent): boolean => event === "status" || event === "reset"

interface State<A> {
  readonly key: string
  readonly value: A | undefined
  readonly error: Api.Refused | undefined
}

/**
 * What the service answers, kept up to date: asked for when it is first needed, when something has happened that
 * changes it, and when the connection is back. `key` says what is asked for.
 */
export const useAnswer = <A>(
  cache: Cache<A>,
  key: string,
  ask: (signal: AbortSignal) => Promise<A>,
  { changedBy = isChange, every, gap = usualGap, isIdle = false }: Options = {}
): Answer<A> => {
  const [state, setState] = useState<State<A>>({ key, value: undefined, error: undefined })
  const loader = useRef<() => void>(() => {})
  const asks = useRef(ask)
  const changes = useRef(changedBy)
  asks.current = ask
  changes.current = changedBy

  useEffect(() => {
    if (isIdle) return
    const stopped = new AbortController()
    const { signal } = stopped
    let isAsking = false
    let isStale = false
    let timer: ReturnType<typeof setTimeout> | undefined
    let begun = 0
    let took = 0

    const load = async () => {
      timer = undefined
      if (document.hidden && begun > 0) {
        isStale = true
        return
      }
      isAsking = true
      isStale = false
      begun = Date.now()
      try {
        const value = await asks.current(signal)
        if (signal.aborted) return
        cache.set(key, value)
        setState({ key, value, error: undefined })
      } catch (error) {
        if (signal.aborted) return
        const refused = error instanceof Api.Refused ? error : new Api.Refused(0, { detail: Api.reasonOf(error) })
        setState((before) => ({ key, value: before.key === key ? before.value : cache.get(key), error: refused }))
      }
      isAsking = false
      took = Date.now() - begun
      if (isStale) later()
      else if (every !== undefined) timer = setTimeout(() => void load(), every)
    }
    const later = () => {
      if (isAsking || document.hidden) {
        isStale = true
        return
      }
      clearTimeout(timer)
      const earliest = begun + Math.max(gap, rest * took)
      timer = setTimeout(() => void load(), Math.max(coalesced, earliest - Date.now()))
    }
    const seen = () => {
      if (!document.hidden && (isStale || every !== undefined)) later()
    }
    loader.current = () => {
      begun = 0
      later()
    }
    const unlisten = Live.listen((events) => {
      if (events.some((event) => event.event === "reset" || changes.current(event))) later()
    })
    document.addEventListener("visibilitychange", seen)
    void load()
    return () => {
      stopped.abort()
      clearTimeout(timer)
      unlisten()
      document.removeEventListener("visibilitychange", seen)
    }
  }, [key, every, isIdle])

  const reload = useCallback(() => loader.current(), [])
  const isCurrent = state.key === key
  return {
    value: isCurrent && state.value !== undefined ? state.value : cache.get(key),
    error: isCurrent ? state.error : undefined,
    reload
  }
}
