import type * as Wire from "./Wire.ts"

/** A request as it is written, each field a text; an empty one is not said. */
export interface Draft {
  readonly type: string
  readonly content: string
  readonly priority: string
  readonly delay: string
  readonly max_attempts: string
  readonly timeout: string
  readonly tags: string
  readonly concurrency_key: string
  readonly unique_key: string
  readonly deadline: string
  readonly retention: string
}

const empty: Draft = {
  type: "",
  content: "",
  priority: "",
  delay: "",
  max_attempts: "",
  timeout: "",
  tags: "",
  concurrency_key: "",
  unique_key: "",
  deadline: "",
  retention: ""
}

const written = (value: string | number | undefined): string => (value === undefined ? "" : `${value}`)

/** As it was asked for; what belongs to one run alone is not copied. */
export const draftOf = (source: Wire.Task | undefined): Draft =>
  source === undefined
    ? empty
    : {
        ...empty,
        type: source.type,
        content: source.content,
        priority: `${source.priority}`,
        max_attempts: `${source.max_attempts}`,
        timeout: written(source.timeout),
        tags: source.tags.join(", "),
        concurrency_key: written(source.concurrency_key),
        retention: written(source.retention)
      }

/** A number where it is one; whatever else was written goes as it is, and the service says what is wrong with it. */
const number = (text: string): number => Number(text.replace("−", "-"))

const spanOf = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text)

const tagsOf = (text: string): ReadonlyArray<string> =>
  text
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "")

const fields = (draft: Draft): Omit<Wire.TaskRequest, "content"> => {
  const { concurrency_key, deadline, delay, max_attempts, priority, retention, tags, timeout, type, unique_key } = draft
  return {
    ...(type === "" ? {} : { type }),
    ...(priority === "" ? {} : { priority: number(priority) }),
    ...(delay === "" ? {} : { delay: spanOf(delay) }),
    ...(max_attempts === "" ? {} : { max_attempts: number(max_attempts) }),
    ...(timeout === "" ? {} : { timeout: spanOf(timeout) }),
    ...(tags === "" ? {} : { tags: tagsOf(tags) }),
    ...(concurrency_key === "" ? {} : { concurrency_key }),
    ...(unique_key === "" ? {} : { unique_key }),
    ...(deadline === "" ? {} : { deadline }),
    ...(retention === "" ? {} : { retention: spanOf(retention) })
  }
}

/** Something that the task has was emptied. A copy has no way to say so, but for tags. */
const isEmptied = (draft: Draft, source: Wire.Task): boolean => {
  const { content: _, tags: __, ...before } = draftOf(source)
  const now = new Map<string, string>(Object.entries(draft))
  return Object.entries(before).some(([name, value]) => value !== "" && now.get(name) === "")
}

/** What was changed in a copy. */
const changes = (draft: Draft, source: Wire.Task): Wire.TaskCopyRequest => {
  const before = draftOf(source)
  const changed: Draft = {
    ...empty,
    ...Object.fromEntries(
      Object.entries(draft).filter(
        ([name, value]) => value !== Object.entries(before).find(([same]) => same === name)?.[1]
      )
    )
  }
  return {
    copy_of: source.id,
    ...fields(changed),
    ...(draft.content === source.content ? {} : { content: draft.content }),
    ...(draft.tags.trim() === "" && source.tags.length > 0 ? { tags: [] } : {})
  }
}

export const requestOf = (draft: Draft, source: Wire.Task | undefined): Wire.TaskRequest | Wire.TaskCopyRequest => {
  if (source !== undefined && !isEmptied(draft, source)) return changes(draft, source)
  const backoff = source?.backoff
  return { content: draft.content, ...fields(draft), ...(backoff === undefined ? {} : { backoff }) }
}
