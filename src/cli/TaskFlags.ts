import { Option, Schema } from "effect"
import { Argument, Flag } from "effect/cli"
import { GivenTaskId, TaskRequest, TaskStatus } from "../domain/Task.ts"

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
    Flag.withDescription("No attempt begins after this"),
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

const decodeRequest = Schema.decodeUnknownEffect(TaskRequest, { errors: "all", onExcessProperty: "error" })

/** The request that content and options make; fails as the service would. */
export const request = (content: string, given: OptionsGiven) => {
  const { tag, ...single } = given
  const fields: Record<string, unknown> = { content }
  for (const [name, option] of Object.entries(single)) {
    if (name in options && Option.isOption(option) && Option.isSome(option)) fields[name] = option.value
  }
  if (tag.length > 0) fields["tags"] = tag
  return decodeRequest(fields)
}
