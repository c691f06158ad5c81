import { flow, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import {
  GivenTaskId,
  limits,
  TaskCopyRequest,
  TaskRequest,
  TaskResponse,
  TaskStatus,
  VenomTask
} from "../domain/Task.ts"
import * as Why from "../domain/Why.ts"
import * as Documented from "./Documented.ts"
import { IdempotencyKey } from "./IdempotencyKey.ts"
import { answers as problem, reads, writes } from "./Problem.ts"

/** A task, or another like one that is there. */
const Requested = Schema.Union([TaskRequest, TaskCopyRequest])

const submitHeaders = {
  "idempotency-key": Schema.optionalKey(IdempotencyKey),
  traceparent: Schema.optionalKey(
    Schema.String.annotate({
      description:
        "The trace that the submit belongs to (W3C Trace Context); kept with the task. What is none is ignored"
    })
  )
}

const Replayed = {
  "idempotency-replayed": Schema.optionalKey(
    Schema.Literal("true").annotate({ description: "An earlier request with the key has made what is answered" })
  )
}

const waiting = {
  prefer: Schema.optionalKey(
    Schema.String.annotate({
      description: "`wait=N`: answer when the task is final, or after N seconds, at most 60 (RFC 7240)"
    })
  )
}

const Waited = {
  "preference-applied": Schema.optionalKey(
    Schema.String.annotate({ description: "`wait=N`: the answer would have waited so long" })
  )
}

const submit = HttpApiEndpoint.post("submit", "/tasks", {
  headers: { ...submitHeaders, ...waiting },
  payload: Requested,
  success: HttpApiSchema.WithHeaders(TaskResponse.pipe(HttpApiSchema.status(201)), {
    location: Schema.String.annotate({ description: "Where the task can be read" }),
    ...Replayed,
    ...Waited
  }),
  error: [...writes, problem.taskNotFound, problem.idempotencyKeyReused]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Submit a task",
    description:
      "Answers when the task is durable: once you have the answer, no crash loses the task. Where an unfinished task has its `unique_key`, that one is answered. With `copy_of`, what is not given is taken from that task.",
    transform: Documented.parameters()
  })
)

export const BulkRequest = Schema.Struct({
  tasks: Schema.Array(Requested).check(Schema.isBetweenLength(1, limits.bulk))
})
  .annotate({ identifier: "BulkRequest" })
  .pipe(Schema.annotateEncoded({ identifier: "BulkRequest" }))

const submitAll = HttpApiEndpoint.post("submitAll", "/tasks/bulk", {
  headers: submitHeaders,
  payload: BulkRequest,
  success: HttpApiSchema.WithHeaders(Schema.Array(TaskResponse).pipe(HttpApiSchema.status(201)), Replayed),
  error: [...writes, problem.taskNotFound, problem.idempotencyKeyReused]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Submit up to 1,000 tasks, all or none of them",
    description: "They are answered in their order, and their ids grow in it.",
    transform: Documented.parameters()
  })
)

export const TaskHeaders = {
  etag: Schema.String.annotate({ description: "Changes with every change of the task; send it back as If-None-Match" }),
  "retry-after": Schema.optionalKey(Schema.String.annotate({ description: "Seconds; set while the task is not final" }))
}

const get = HttpApiEndpoint.get("get", "/tasks/:id", {
  params: { id: GivenTaskId },
  headers: {
    "if-none-match": Schema.optionalKey(
      Schema.String.annotate({ description: "An ETag: 304 without a body while the task has not changed" })
    ),
    ...waiting
  },
  success: HttpApiSchema.WithHeaders(VenomTask, { ...TaskHeaders, ...Waited }),
  error: [...reads, problem.taskNotFound]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Read a task",
    transform: flow(Documented.parameters(), Documented.answers(304, "The task has not changed since that ETag"))
  })
)

const why = HttpApiEndpoint.get("why", "/tasks/:id/why", {
  params: { id: GivenTaskId },
  success: Why.Answer,
  error: [...reads, problem.taskNotFound]
}).annotateMerge(
  OpenApi.annotations({
    summary: "Why a task is not running, or not done",
    description: "Every reason, not only the first. A PENDING task without one is the next to be claimed.",
    transform: Documented.parameters()
  })
)

const pageSize = { type: "integer", minimum: 1, maximum: 500 } as const

/** Which tasks; all of it must hold. */
export const filterFields = {
  status: Schema.optionalKey(TaskStatus),
  type: Schema.optionalKey(Schema.String.annotate({ description: "Tasks of this type" })),
  tag: Schema.optionalKey(Schema.String.annotate({ description: "Tasks with this tag" })),
  q: Schema.optionalKey(Schema.String.annotate({ description: "Tasks with this text in their content" }))
}

/** And how many of them at once. */
const TaskQuery = {
  ...filterFields,
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween(pageSize))),
  cursor: Schema.optionalKey(
    GivenTaskId.annotate({ description: "Where a page begins: comes in the Link header of the page before" })
  )
}

const list = HttpApiEndpoint.get("list", "/tasks", {
  query: TaskQuery,
  success: HttpApiSchema.WithHeaders(Schema.Array(VenomTask), {
    link: Schema.optionalKey(Schema.String.annotate({ description: 'The next page: <...>; rel="next"' }))
  }),
  error: reads
}).annotateMerge(
  OpenApi.annotations({
    summary: "List tasks",
    description:
      "Newest first. Without `limit` all of them, streamed as one array. With `limit` a page, and a Link header while there are more.",
    transform: Documented.parameters({
      limit: { ...pageSize, description: "A page of at most so many; without it, all of them are streamed" }
    })
  })
)

export class TasksApi extends HttpApiGroup.make("tasks")
  .add(submit)
  .add(submitAll)
  .add(get)
  .add(why)
  .add(list)
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "Submit tasks, and see what became of them" })) {}
