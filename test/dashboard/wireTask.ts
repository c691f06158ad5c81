import type * as Wire from "../../src/dashboard/Wire.ts"

export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()

/** A task as the service tells of it. */
export const wireTask = (more: Partial<Wire.Task>): Wire.Task => ({
  id: "019b7a5e-0000-7000-8000-000000000000",
  content: "",
  created_at: at(0),
  status: "PENDING",
  result: null,
  logs: [`${at(0)} submitted`],
  logs_dropped: 0,
  type: "default",
  priority: 0,
  run_at: at(0),
  updated_at: at(0),
  started_at: null,
  finished_at: null,
  attempt: 0,
  max_attempts: 5,
  attempts: [],
  failure: null,
  tags: [],
  progress: null,
  revision: 1,
  ...more
})
