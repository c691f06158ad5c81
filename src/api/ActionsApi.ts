import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { GivenTaskId, VenomTask } from "../domain/Task.ts"
import { answers as problem, writes } from "./Problem.ts"
import { filterFields, TaskHeaders } from "./TasksApi.ts"

const ofOneTask = [...writes, problem.taskNotFound, problem.illegalTransition] as const
const params = { id: GivenTaskId }

const cancel = HttpApiEndpoint.post("cancel", "/tasks/:id/cancel", {
  params,
  success: HttpApiSchema.WithHeaders(VenomTask, TaskHeaders),
  error: ofOneTask
}).annotateMerge(
  OpenApi.annotations({
    summary: "Cancel a task",
    description:
      "It is FAILED as `cancelled`, for good. A running attempt is interrupted and has ended when the answer comes. Of a cancel and a result that come together one wins: 200 is the cancel, 409 the result."
  })
)

const retry = HttpApiEndpoint.post("retry", "/tasks/:id/retry", {
  params,
  success: HttpApiSchema.WithHeaders(VenomTask, TaskHeaders),
  error: ofOneTask
}).annotateMerge(
  OpenApi.annotations({
    summary: "Give a FAILED task another attempt",
    description: "It is PENDING, and due at once. 503 where the queue holds as many unfinished tasks as it may."
  })
)

const remove = HttpApiEndpoint.delete("delete", "/tasks/:id", {
  params,
  success: HttpApiSchema.NoContent,
  error: ofOneTask
}).annotateMerge(OpenApi.annotations({ summary: "Delete a finished task" }))

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Which tasks, as in a list; and how many they should be. */
export const ActionRequest = Schema.Struct({
  ...filterFields,
  expected: Schema.optionalKey(
    Count.annotate({ description: "How many tasks match, as you know it; needed where nothing else is said" })
  ),
  tolerance: Schema.optionalKey(Count.annotate({ description: "By how many `expected` may be wrong; 0 without" }))
})
  .check(
    Schema.makeFilter(({ expected, tolerance, ...filter }) =>
      expected !== undefined
        ? undefined
        : tolerance !== undefined
          ? { path: ["expected"], issue: "Missing: the tolerance is about it" }
          : Object.keys(filter).length === 0
            ? { path: ["expected"], issue: "Missing: without a filter, say how many tasks you mean" }
            : undefined
    )
  )
  .annotate({ identifier: "ActionRequest" })
export type ActionRequest = typeof ActionRequest.Type

export const ActionResponse = Schema.Struct({
  matched: Schema.Int.annotate({ description: "Tasks that matched when it began" }),
  changed: Schema.Int,
  skipped: Schema.Int.annotate({ description: "Those whose state forbade it, or had changed meanwhile" }),
  full: Schema.optionalKey(
    Schema.Literal(true).annotate({
      description: "It ended early: the queue holds as many unfinished tasks as it may; those left are `skipped`"
    })
  )
}).annotate({ identifier: "ActionResponse" })
export type ActionResponse = typeof ActionResponse.Type

const ofMany = <const Name extends string>(name: Name, action: string, description: string) =>
  HttpApiEndpoint.post(name, `/tasks/actions/${action}`, {
    payload: ActionRequest,
    success: ActionResponse,
    error: [...writes, problem.unexpectedCount]
  }).annotateMerge(
    OpenApi.annotations({
      summary: `${action.charAt(0).toUpperCase()}${action.slice(1)} all tasks that match`,
      description: `${description} Each task by itself: if the service stops in the middle, what is done stays.`
    })
  )

export class ActionsApi extends HttpApiGroup.make("actions")
  .add(cancel)
  .add(retry)
  .add(remove)
  .add(ofMany("cancelAll", "cancel", "Running attempts have ended when the answer comes."))
  .add(
    ofMany(
      "retryAll",
      "retry",
      "Those that are not FAILED are skipped. It ends where the queue holds as many unfinished tasks as it may."
    )
  )
  .add(ofMany("deleteAll", "delete", "Those that are not finished are skipped."))
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "Change what was submitted" })) {}
