import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import { useMay } from "./Access.ts"
import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import { Bulk } from "./Bulk.tsx"
import { filterOf, Filters, isFiltered, unknownStatus } from "./Filters.tsx"
import * as Place from "./Place.ts"
import * as Route from "./Route.ts"
import { TaskRow } from "./TaskRow.tsx"
import type * as Wire from "./Wire.ts"

const pageSize = 50

interface Shown extends Api.Page {
  /** There are newer ones than the first. */
  readonly hasNewer: boolean
}

const kept = cache<Shown>()

/** A page; held at its first task, if it is, while newer ones are only told of. */
const ask = async (filter: Wire.Filter, cursor: string | undefined, held: string | undefined, signal: AbortSignal) => {
  const limit = pageSize
  if (held === undefined) return { ...(await Api.tasks({ ...filter, cursor, limit }, signal)), hasNewer: false }
  const [page, newest] = await Promise.all([
    Api.tasks({ ...filter, cursor: Place.above(held), limit }, signal),
    Api.tasks({ ...filter, limit: 1 }, signal)
  ])
  return { ...page, hasNewer: (newest.tasks[0]?.id ?? "") > held }
}

interface Given {
  readonly search: URLSearchParams
  readonly queue: Wire.Queue | undefined
}

/** Tasks, newest first, as they are now. While one is selected, or the page scrolled, none moves away under it. */
export const TaskList = ({ queue, search }: Given) => {
  const filter = filterOf(search)
  const unknown = unknownStatus(search)
  const cursor = search.get("cursor") ?? undefined
  const key = search.toString()
  const may = useMay()
  const place = Place.at(key)
  const [selected, select] = useState(place.selected)
  const [held, hold] = useState(place.held)
  const list = useRef<HTMLUListElement>(null)
  const page = useAnswer(kept, key, (signal) => ask(filter, cursor, held, signal))
  const tasks = page.value?.tasks ?? []
  const first = tasks[0]?.id

  const settle = () => {
    const isHeld = cursor === undefined && (scrollY > 60 || Place.at(key).selected !== undefined)
    hold(isHeld ? (Place.at(key).held ?? first) : undefined)
    Place.keep(key, { held: isHeld ? (Place.at(key).held ?? first) : undefined, scroll: scrollY })
  }
  const choose = (id: string) => {
    Place.keep(key, { selected: id })
    select(id)
    settle()
  }
  const release = () => {
    Place.forget(key)
    select(undefined)
    hold(undefined)
    scrollTo({ top: 0 })
    page.reload()
  }

  useEffect(() => {
    Route.rememberList(search)
    select(Place.at(key).selected)
    hold(Place.at(key).held)
  }, [key])
  useEffect(() => {
    addEventListener("scroll", settle, { passive: true })
    return () => removeEventListener("scroll", settle)
  }, [key, first])
  const isThere = page.value !== undefined
  useLayoutEffect(() => {
    if (!isThere) return
    const { scroll, selected } = Place.at(key)
    scrollTo({ top: scroll })
    if (selected !== undefined) list.current?.querySelector<HTMLElement>("[data-row=selected]")?.focus()
  }, [key, isThere])

  const types = (queue?.types.map(({ type }) => type) ?? []).sort()
  return (
    <section aria-label="Tasks">
      <h1 class="unseen">Tasks</h1>
      <div class="tools">
        <Filters filter={filter} types={types} />
        {may.write ? (
          <a class="button primary" href={Route.href("submit")} data-new="">
            New task
          </a>
        ) : null}
      </div>
      {may.write ? <Bulk filter={filter} isEmpty={tasks.length === 0} /> : null}
      {unknown === undefined ? null : (
        <p class="trouble" role="alert">
          There is no status {unknown}: tasks of every status are shown.
        </p>
      )}
      {page.error === undefined ? null : (
        <p class="trouble" role="alert">
          {page.error.message}
        </p>
      )}
      {page.value?.hasNewer ? (
        <button type="button" class="newer" onClick={release}>
          Newer tasks have come: show them
        </button>
      ) : null}
      <div class="row heads" aria-hidden="true">
        <span>status</span>
        <span>type</span>
        <span>content</span>
        <span>what of it</span>
        <span class="took">took</span>
        <span class="age">submitted</span>
      </div>
      <ul class="rows" ref={list}>
        {tasks.map((task) => (
          <TaskRow key={task.id} task={task} queue={queue} isSelected={task.id === selected} onSelect={choose} />
        ))}
      </ul>
      {page.value === undefined && page.error === undefined ? (
        <p class="empty looking" role="status">
          Looking…
        </p>
      ) : null}
      {page.value !== undefined && tasks.length === 0 ? (
        <p class="empty">{isFiltered(filter) || cursor !== undefined ? "No task matches." : "There is no task yet."}</p>
      ) : null}
      <nav class="pages" aria-label="Pages">
        {cursor === undefined ? null : <a href={Route.href("tasks", filter)}>Newest</a>}
        {page.value?.hasMore ? (
          <a href={Route.href("tasks", { ...filter, cursor: tasks.at(-1)?.id })} onClick={() => scrollTo({ top: 0 })}>
            Older
          </a>
        ) : null}
      </nav>
    </section>
  )
}
