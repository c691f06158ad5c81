import { useContext, useEffect, useRef } from "preact/hooks"
import { Access } from "./Access.ts"
import { type Answer, cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import { Banner } from "./Banner.tsx"
import { Boundary } from "./Boundary.tsx"
import { Charts } from "./Charts.tsx"
import { Failures } from "./Failures.tsx"
import { Header } from "./Header.tsx"
import { Keyboard } from "./Keyboard.tsx"
import { NodesView } from "./NodesView.tsx"
import { QueueView } from "./QueueView.tsx"
import * as Route from "./Route.ts"
import { SchedulesView } from "./SchedulesView.tsx"
import { StorageView } from "./StorageView.tsx"
import { Submit } from "./Submit.tsx"
import { TaskList } from "./TaskList.tsx"
import { TaskPage } from "./TaskPage.tsx"
import { useHeading, useTitle } from "./Told.ts"
import type * as Wire from "./Wire.ts"

const queues = cache<Wire.Queue>()
const storages = cache<Wire.Storage>()
const statistics = cache<Wire.Statistics>()
const nodes = cache<ReadonlyArray<Wire.Node>>()

interface View {
  readonly name: string
  readonly title: string
}

const views: ReadonlyArray<View> = [
  { name: "tasks", title: "Tasks" },
  { name: "failures", title: "Failures" },
  { name: "charts", title: "Charts" },
  { name: "queue", title: "Queue" },
  { name: "schedules", title: "Schedules" },
  { name: "storage", title: "Storage" }
]
const nodesView: View = { name: "nodes", title: "Nodes" }
const unlisted: ReadonlyArray<View> = [nodesView, { name: "submit", title: "New task" }]

interface Seen {
  readonly route: Route.Route
  readonly queue: Wire.Queue | undefined
  readonly nodes: ReadonlyArray<Wire.Node> | undefined
  readonly statistics: Answer<Wire.Statistics>
  readonly storage: Answer<Wire.Storage>
}

/** What is looked at; the rest of the page stands around it. */
const Viewed = ({ nodes, queue, route, statistics, storage }: Seen) => {
  switch (route.view) {
    case "tasks":
      return route.id === undefined ? (
        <TaskList search={route.search} queue={queue} />
      ) : (
        <TaskPage key={route.id} id={route.id} />
      )
    case "submit":
      return <Submit copyOf={route.search.get("copy") ?? undefined} />
    case "failures":
      return <Failures statistics={statistics} />
    case "charts":
      return <Charts statistics={statistics} />
    case "queue":
      return <QueueView queue={queue} />
    case "schedules":
      return <SchedulesView />
    case "storage":
      return <StorageView storage={storage} />
    case "nodes":
      return <NodesView nodes={nodes} />
    default:
      return (
        <section class="empty">
          <h1>There is no such page</h1>
          <p>
            <a href={Route.href("tasks")}>All tasks</a>
          </p>
        </section>
      )
  }
}

export const Frame = ({ onLogout }: { readonly onLogout: (() => void) | undefined }) => {
  const route = Route.useRoute()
  const { environment } = useContext(Access)
  const queue = useAnswer(queues, "queue", Api.queue, { every: 5000 })
  const storage = useAnswer(storages, "storage", Api.storage, { every: 5000, gap: 1000 })
  const told = useAnswer(statistics, "statistics", Api.statistics, { changedBy: () => false, every: 5000 })
  const known = useAnswer(nodes, "nodes", Api.nodes, { changedBy: () => false, every: 3000 })
  const isShared = known.value?.some(({ expires_at }) => expires_at !== null) ?? false
  const nav = useRef<HTMLElement>(null)
  const main = useRef<HTMLElement>(null)
  const isTask = route.view === "tasks" && route.id !== undefined
  useTitle(isTask ? undefined : ([...views, ...unlisted].find(({ name }) => name === route.view)?.title ?? ""))
  useHeading(main, `${route.view}/${route.id ?? ""}`)

  // on a phone not all views have room beside each other
  useEffect(() => {
    const link = nav.current?.querySelector<HTMLElement>("[aria-current]")
    if (nav.current !== null && link) nav.current.scrollLeft = link.offsetLeft - nav.current.clientWidth / 2
  }, [route.view])

  return (
    <>
      <a class="skip" href="#view" onClick={(event) => skip(event)}>
        To the content
      </a>
      <header class="top">
        <div class="bar">
          <a class="name" href={Route.href("tasks")}>
            Venom
          </a>
          {environment === "" ? null : <span class="environment">{environment}</span>}
          <nav aria-label="Views" ref={nav}>
            {(isShared ? [...views, nodesView] : views).map(({ name, title }) => (
              <a key={name} href={Route.href(name)} aria-current={route.view === name ? "page" : undefined}>
                {title}
              </a>
            ))}
          </nav>
          <Keyboard />
          {onLogout === undefined ? null : (
            <button type="button" class="quiet" onClick={onLogout}>
              Log out
            </button>
          )}
        </div>
        <Header queue={queue.value} storage={storage.value} statistics={told.value} />
      </header>
      <Banner queue={queue.value} errors={[queue.error, storage.error, told.error, known.error]} />
      <main id="view" tabIndex={-1} ref={main}>
        <Boundary key={`${route.view}/${route.id ?? ""}`}>
          <Viewed route={route} queue={queue.value} nodes={known.value} statistics={told} storage={storage} />
        </Boundary>
      </main>
    </>
  )
}

const skip = (event: Event): void => {
  event.preventDefault()
  document.getElementById("view")?.focus()
}
