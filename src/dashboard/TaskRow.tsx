import * as Clock from "./Clock.ts"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"
import { Status } from "./Status.tsx"
import { Ago, Since } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

interface Held {
  readonly task: Wire.Task
  readonly queue: Wire.Queue | undefined
}

/** What holds back a task that waits, as far as it is known without asking. */
const Waiting = ({ queue, task }: Held) => {
  if (Date.parse(task.run_at) > Clock.now()) {
    const last = task.attempts.at(-1)
    return last === undefined || last.outcome === null ? (
      <>
        due <Ago at={task.run_at} />
      </>
    ) : (
      <>
        attempt {task.attempt + 1} of {task.max_attempts} <Ago at={task.run_at} />, after {last.outcome}
        {last.error === null ? "" : `: ${Format.excerpt(last.error)}`}
      </>
    )
  }
  if (queue?.paused) return <>the queue is paused</>
  if (queue?.types.find(({ type }) => type === task.type)?.paused) return <>its type is paused</>
  return <>waits for a slot</>
}

const Progress = ({ progress }: Pick<Wire.Task, "progress">) =>
  progress === null ? null : (
    <>
      {progress.percent === null ? null : <b>{Math.round(progress.percent)} % </b>}
      {progress.message === null ? null : `${Format.excerpt(progress.message)}, `}
    </>
  )

/** The one thing that one wants to know of it. */
const Gist = ({ queue, task }: Held) => {
  switch (task.status) {
    case "PENDING":
      return <Waiting task={task} queue={queue} />
    case "PROCESSING":
      return (
        <>
          <Progress progress={task.progress} />
          attempt {task.attempt} of {task.max_attempts}, running for{" "}
          {task.started_at === null ? "–" : <Since at={task.started_at} />}
        </>
      )
    case "COMPLETED":
      return <>{task.result === null || task.result === "" ? "no result" : Format.excerpt(task.result)}</>
    case "FAILED":
      return task.failure === null ? null : (
        <>
          <b>{task.failure.reason}</b> {Format.excerpt(task.failure.message)}
        </>
      )
  }
}

const took = ({ finished_at, started_at }: Wire.Task): string =>
  started_at === null || finished_at === null ? "" : Format.span(Date.parse(finished_at) - Date.parse(started_at))

/** A task in a list: a link to it. */
export const TaskRow = (given: Held & { readonly isSelected: boolean; readonly onSelect: (id: string) => void }) => {
  const { isSelected, queue, task } = given
  return (
    <li>
      <a
        class="row"
        href={Route.ofTask(task.id)}
        data-row={isSelected ? "selected" : ""}
        onFocus={() => given.onSelect(task.id)}
      >
        <Status status={task.status} />
        <span class="type">{task.type}</span>
        <span class="content">{task.content === "" ? <i>empty</i> : Format.excerpt(task.content)}</span>
        <span class={`gist is-${task.status.toLowerCase()}`}>
          <Gist task={task} queue={queue} />
        </span>
        <span class="took">{took(task)}</span>
        <span class="age">
          <Ago at={task.created_at} />
        </span>
      </a>
    </li>
  )
}
