import type * as Wire from "./Wire.ts"

/** A part of a task's life, from one moment to the next. */
export interface Part {
  readonly kind: "submitted" | "waited" | "retry" | "attempt" | "done"
  readonly title: string
  readonly from: number
  /** None while it goes on. */
  readonly until: number | undefined
  readonly outcome: Wire.Attempt["outcome"]
  readonly error: string | null
  readonly logs: ReadonlyArray<Line>
}

interface Line {
  readonly at: number
  readonly text: string
}

/** Each line of a log begins with its time. */
const lineOf = (line: string): Line => {
  const end = line.indexOf(" ")
  const at = Date.parse(line.slice(0, end))
  return Number.isNaN(at) ? { at: 0, text: line } : { at, text: line.slice(end + 1) }
}

const words: Readonly<Record<string, string>> = {
  completed: "completed",
  error: "failed",
  defect: "broke",
  timeout: "took too long",
  cancelled: "was cancelled",
  crashed: "ended with the process",
  rejected: "was rejected"
}

const attemptTitle = ({ attempt, outcome }: Wire.Attempt): string =>
  `Attempt ${attempt} ${outcome === null ? "is running" : (words[outcome] ?? outcome)}`

type Bare = Omit<Part, "logs">

const waiting = (from: number, until: number | undefined, before: Wire.Attempt | undefined): Bare => ({
  kind: before === undefined ? "waited" : "retry",
  title: before === undefined ? "Waiting" : `Waiting after attempt ${before.attempt}`,
  from,
  until,
  outcome: null,
  error: null
})

const bare = (task: Wire.Task): ReadonlyArray<Bare> => {
  let from = Date.parse(task.created_at)
  const parts: Array<Bare> = [{ kind: "submitted", title: "Submitted", from, until: from, outcome: null, error: null }]
  let before: Wire.Attempt | undefined
  const isCut = (task.attempts[0]?.attempt ?? 1) > 1
  for (const attempt of task.attempts) {
    const started = Date.parse(attempt.started_at)
    if (!(isCut && before === undefined)) parts.push(waiting(from, started, before))
    const until = attempt.finished_at === null ? undefined : Date.parse(attempt.finished_at)
    const { error, outcome } = attempt
    parts.push({ kind: "attempt", title: attemptTitle(attempt), from: started, until, outcome, error })
    from = until ?? started
    before = attempt
  }
  if (task.status === "PENDING") parts.push(waiting(from, undefined, before))
  if (task.finished_at !== null) {
    const finished = Date.parse(task.finished_at)
    // cancelled while it waited, say
    if (finished > from) parts.push(waiting(from, finished, before))
    const { failure, status } = task
    const title = status === "COMPLETED" ? "Completed" : `Failed: ${failure?.reason ?? "unknown"}`
    const isTold = failure === null || before?.error === failure.message
    const error = isTold ? null : failure.message
    parts.push({ kind: "done", title, from: finished, until: finished, outcome: failure?.reason ?? "completed", error })
  }
  return parts
}

/** What the service itself says of an attempt, word for word; a program may log much that begins alike. */
const sentence =
  /^attempt (\d+) (?:of \d+ started$|completed$|released$|ended with the process; runs again$|failed (?:for good )?\(\w+\): )/

/** By so much a line may miss the attempt that it tells of: the clock may have been set meanwhile. */
const slack = 1000

/** The life of a task in its parts, each with what was logged while it lasted. */
export const of = (task: Wire.Task): ReadonlyArray<Part> => {
  const parts = bare(task)
  const lines = task.logs.map(lineOf)
  const partOf = ({ at, text }: Line, index: number): number => {
    if (index === 0 && text.startsWith("submitted")) return 0
    const title = `Attempt ${sentence.exec(text)?.[1]} `
    const told = parts.findIndex(
      ({ from, title: of, until = Infinity }) => of.startsWith(title) && from - slack <= at && at <= until + slack
    )
    if (told !== -1) return told
    // of two parts that meet in the millisecond of a line, the attempt has something to say
    const held = parts.findLastIndex(({ from, kind, until }) => kind === "attempt" && from <= at && at <= (until ?? at))
    if (held !== -1) return held
    return Math.max(
      parts.findLastIndex(({ from, kind }) => kind !== "done" && from <= at),
      0
    )
  }
  const places = lines.map(partOf)
  return parts.map((part, index) => ({ ...part, logs: lines.filter((_, line) => places[line] === index) }))
}
