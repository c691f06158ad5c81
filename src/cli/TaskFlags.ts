import { type Effect, Option, Schema } from "effect"
import { Argument, Flag } from "effect/cli"
import { GivenTaskId, TaskCopyRequest, type TaskId, TaskRequest, TaskStatus } from "../domain/Task.ts"

export const id = Argument.String("id").pipe(
  Argument.withDescription("The id of a task"),
  Argument.withSchema(GivenTaskId)
)

export const ids = id.pipe(Argument.variadic())

/** Which tasks; all of it must hold. */
export const filter = {
  status: Flag.Literals("status", TaskStatus.literals).pipe(
    Flag.withAlias("s"),
    Flag.withDescription("Tasks in this status"),
    Flag.optional
  ),
  type: Flag.String("type").pipe(Flag.withAlias("t"), Flag.withDescription("Tasks of this type"), Flag.optional),
  tag: Flag.String("tag").pipe(Flag.withDescription("Tasks with this tag"), Flag.optional),
  q: Flag.String("query").pipe(
    Flag.withAlias("q"),
    Flag.withDescription("Tasks with this text in their content"),
    Flag.optional
  )
}

interface FilterGiven {
  readonly status: Option.Option<TaskStatus>
  readonly type: Option.Option<string>
  readonly tag: Option.Option<string>
  readonly q: Option.Option<string>
}

const some = <K extends string, A>(key: K, option: Option.Option<A>): { readonly [_ in K]?: A } => {
  const one: { [_ in K]?: A } = {}
  if (Option.isSome(option)) one[key] = option.value
  return one
}

export const filterOf = ({ q, status, tag, type }: FilterGiven) => ({
  ...some("status", status),
  ...some("type", type),
  ...some("tag", tag),
  ...some("q", q)
})

/** How a task is to be done, named as on the wire. */
export const options = {
  type: Flag.String("type").pipe(
    Flag.withAlias("t"),
    Flag.withDescription("Which handler; `default` without"),
    Flag.optional
  ),
  priority: Flag.Int("priority").pipe(
    Flag.withAlias("p"),
    Flag.withDescription("-100 to 100, lower runs first"),
    Flag.optional
  ),
  delay: Flag.String("delay").pipe(
    Flag.withMetavar("<duration>"),
    Flag.withDescription('Not before so much time has passed: "10 minutes"'),
    Flag.optional
  ),
  run_at: Flag.String("run-at").pipe(
    Flag.withMetavar("<time>"),
    Flag.withDescription("Not before this: 2026-01-31T09:30:00Z"),
    Flag.optional
  ),
  max_attempts: Flag.Int("max-attempts").pipe(Flag.withDescription("How often it is tried at most"), Flag.optional),
  timeout: Flag.String("timeout").pipe(
    Flag.withMetavar("<duration>"),
    Flag.withDescription("How long an attempt may run"),
    Flag.optional
  ),
  deadline: Flag.String("deadline").pipe(
    Flag.withMetavar("<time>"),
    Flag.withDescription("What is not done by then is FAILED, though it runs"),
    Flag.optional
  ),
  backoff: Flag.Literals("backoff", ["exponential", "linear", "fixed"]).pipe(
    Flag.withDescription("How waits grow after failed attempts; exponential without"),
    Flag.optional
  ),
  backoff_base: Flag.String("backoff-base").pipe(
    Flag.withMetavar("<duration>"),
    Flag.withDescription("The first wait after a failed attempt; 1 second without"),
    Flag.optional
  ),
  backoff_cap: Flag.String("backoff-cap").pipe(
    Flag.withMetavar("<duration>"),
    Flag.withDescription("The longest wait after a failed attempt; 10 minutes without"),
    Flag.optional
  ),
  backoff_jitter: Flag.Finite("backoff-jitter").pipe(
    Flag.withMetavar("<0 to 1>"),
    Flag.withDescription("The share of a wait that chance may add or take; 0.2 without"),
    Flag.optional
  ),
  concurrency_key: Flag.String("concurrency-key").pipe(
    Flag.withMetavar("<key>"),
    Flag.withDescription("Tasks with one key share the limit of that key"),
    Flag.optional
  ),
  unique_key: Flag.String("unique-key").pipe(
    Flag.withMetavar("<key>"),
    Flag.withDescription("While an unfinished task has this key, that one is answered"),
    Flag.optional
  ),
  retention: Flag.String("retention").pipe(
    Flag.withMetavar("<duration>"),
    Flag.withDescription("How long it is kept once it is finished"),
    Flag.optional
  ),
  tag: Flag.String("tag").pipe(Flag.withDescription("A tag; may be given again"), Flag.between(0, 20))
}

type OptionsGiven = { readonly [K in Exclude<keyof typeof options, "tag">]: Option.Option<string | number> } & {
  readonly tag: ReadonlyArray<string>
}

const strictly = { errors: "all", onExcessProperty: "error" } as const
const decodeRequest = Schema.decodeUnknownEffect(TaskRequest, strictly)
const decodeCopy = Schema.decodeUnknownEffect(TaskCopyRequest, strictly)

/** What options say of a backoff: its parts stand in an object of their own. */
const backoffParts: Readonly<Record<string, string>> = {
  backoff: "kind",
  backoff_base: "base",
  backoff_cap: "cap",
  backoff_jitter: "jitter"
}

/** The request that content and options make, for a task of its own or a copy of one; fails as the service would. */
export const request = (
  content: string | undefined,
  copyOf: TaskId | undefined,
  given: OptionsGiven
): Effect.Effect<TaskRequest | TaskCopyRequest, Schema.SchemaError> => {
  const { tag, ...single } = given
  const fields: Record<string, unknown> = content === undefined ? {} : { content }
  const backoff: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(single)) {
    if (!(name in options) || !Option.isOption(option) || Option.isNone(option)) continue
    const part = backoffParts[name]
    if (part === undefined) fields[name] = option.value
    else backoff[part] = option.value
  }
  if (Object.keys(backoff).length > 0) fields["backoff"] = backoff
  if (tag.length > 0) fields["tags"] = tag
  return copyOf === undefined ? decodeRequest(fields) : decodeCopy({ ...fields, copy_of: copyOf })
}
