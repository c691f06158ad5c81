import { rowOf } from "./post.ts"

export const row = rowOf(
  "post-and-work",
  "Durable POST, worked on",
  "the process that answers works on the tasks too",
  true
)
