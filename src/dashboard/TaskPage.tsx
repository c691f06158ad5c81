import { useState } from "preact/hooks"
import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import { Content } from "./Content.tsx"
import { Facts } from "./Facts.tsx"
import * as Format from "./Format.ts"
import * as Route from "./Route.ts"
import { isFinal, Status, wordOf } from "./Status.tsx"
import { TaskActions } from "./TaskActions.tsx"
import { Timeline } from "./Timeline.tsx"
import { useTitle } from "./Told.ts"
import { WhyPanel } from "./WhyPanel.tsx"
import type * as Wire from "./Wire.ts"

const kept = cache<Wire.Task>()

const Progress = ({ progress }: { readonly progress: Wire.Task["progress"] }) =>
  progress === null ? null : (
    <p class="progress">
      {progress.percent === null ? null : (
        <>
          <progress max={100} value={progress.percent} aria-label="Progress" /> {Math.round(progress.percent)} %
        </>
      )}{" "}
      {progress.message}
    </p>
  )

const Failure = ({ task }: { readonly task: Wire.Task }) =>
  task.failure === null ? null : (
    <section class="panel failed" aria-labelledby="failure">
      <h2 id="failure">
        It failed: {task.failure.reason}, after {task.attempt === 1 ? "one attempt" : `${task.attempt} attempts`}
      </h2>
      <pre class="error">{Format.plain(task.failure.message)}</pre>
      {task.failure.data === undefined ? null : <Content title="Data" text={JSON.stringify(task.failure.data)} />}
    </section>
  )

/** All of one task. */
export const TaskPage = ({ id }: { readonly id: string }) => {
  const [trouble, setTrouble] = useState("")
  const task = useAnswer(kept, id, (signal) => Api.task(id, signal), {
    changedBy: ({ data }) => data.includes(id)
  })
  const error = task.error?.message ?? trouble
  const { value } = task
  const isGone = task.error?.status === 404
  const said = value === undefined ? "Task" : `${wordOf(value.status)} ${value.type}`
  useTitle(`${said} ${Format.shortId(id)}`)
  return (
    <article class="task">
      <p class="crumbs">
        <a href={Route.lastList()} data-back="">
          ← Tasks
        </a>
      </p>
      {error === "" ? null : (
        <p class="trouble" role="alert">
          {error}
        </p>
      )}
      {value === undefined || isGone ? null : (
        <>
          <div class="task-head">
            <h1>
              <Status status={value.status} /> <span class="type">{value.type}</span>
            </h1>
            <code class="id">{value.id}</code>
            <TaskActions task={value} onTrouble={setTrouble} />
          </div>
          <Progress progress={value.status === "PROCESSING" ? value.progress : null} />
          {isFinal(value.status) ? <Failure task={value} /> : <WhyPanel task={value} />}
          <div class="columns">
            <div>
              <Content title="Content" text={value.content} />
              {value.result === null ? null : <Content title="Result" text={value.result} />}
              <Facts task={value} />
            </div>
            <Timeline task={value} />
          </div>
        </>
      )}
    </article>
  )
}
