import type { TaskStatus } from "../domain/Task.ts"
import type { TaskFilter } from "../ports/StateRepository.ts"

interface Fields {
  readonly status?: TaskStatus
  readonly type?: string
  readonly tag?: string
  readonly q?: string
}

/** Which tasks are meant by the fields of a list, or of an action. */
export const of = ({ q, status, tag, type }: Fields): TaskFilter => ({
  ...(status === undefined ? {} : { status }),
  ...(type === undefined ? {} : { type }),
  ...(tag === undefined ? {} : { tag }),
  ...(q === undefined ? {} : { text: q })
})
