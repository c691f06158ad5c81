/** What a task is read from; of the table named `t`. */
export const columns = "t.content, t.state, t.claimed_at"

/** Columns that change. */
export const changing = [
  "status",
  "run_at",
  "attempt",
  "max_attempts",
  "started_at",
  "finished_at",
  "own_end",
  "owed",
  "revision",
  "state"
] as const

/** Columns that stay as they were. */
export const fixed = ["id", "type", "priority", "deadline", "concurrency_key", "unique_key", "tags", "content"] as const

const arrays: Readonly<Record<(typeof fixed)[number] | (typeof changing)[number], string>> = {
  id: "uuid",
  type: "text",
  priority: "float8",
  deadline: "float8",
  concurrency_key: "text",
  unique_key: "text",
  tags: "text",
  content: "text",
  status: "text",
  run_at: "float8",
  attempt: "float8",
  max_attempts: "float8",
  started_at: "float8",
  finished_at: "float8",
  own_end: "float8",
  owed: "bool",
  revision: "float8",
  state: "text"
}

/** `$1::uuid[], $2::text[], …`, from a number on. */
export const placeholders = (names: ReadonlyArray<keyof typeof arrays>, from: number): string =>
  names.map((name, n) => `$${n + from}::${arrays[name]}[]`).join(", ")
