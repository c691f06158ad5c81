import type * as Wire from "./Wire.ts"

/** In the order of a task's life. */
export const statuses: ReadonlyArray<Wire.TaskStatus> = ["PENDING", "PROCESSING", "COMPLETED", "FAILED"]

const words: Readonly<Record<Wire.TaskStatus, string>> = {
  PENDING: "pending",
  PROCESSING: "processing",
  COMPLETED: "completed",
  FAILED: "failed"
}

export const wordOf = (status: Wire.TaskStatus): string => words[status]

export const Status = ({ status }: { readonly status: Wire.TaskStatus }) => (
  <span class={`status is-${words[status]}`}>{words[status]}</span>
)

export const isFinal = (status: Wire.TaskStatus): boolean => status === "COMPLETED" || status === "FAILED"
