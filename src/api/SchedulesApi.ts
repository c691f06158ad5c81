import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Schedule, ScheduleName, ScheduleRequest } from "../domain/Schedule.ts"
import * as Documented from "./Documented.ts"
import { answers as problem, reads, writes } from "./Problem.ts"

const params = { name: ScheduleName }

const list = HttpApiEndpoint.get("list", "/schedules", {
  success: Schema.Array(Schedule),
  error: reads
}).annotateMerge(OpenApi.annotations({ summary: "List schedules", description: "All of them, by name." }))

const get = HttpApiEndpoint.get("get", "/schedules/:name", {
  params,
  success: Schedule,
  error: [...reads, problem.scheduleNotFound]
}).annotateMerge(OpenApi.annotations({ summary: "Read a schedule" }))

const put = HttpApiEndpoint.put("put", "/schedules/:name", {
  params,
  payload: ScheduleRequest,
  success: [Schedule, Schedule.pipe(HttpApiSchema.status(201))],
  error: writes
}).annotateMerge(
  OpenApi.annotations({
    summary: "Make or replace a schedule",
    description:
      "201 for a new one, 200 in the place of another. What has run stays, and while the times are the same, so do the slots."
  })
)

const remove = HttpApiEndpoint.delete("delete", "/schedules/:name", {
  params,
  success: HttpApiSchema.NoContent,
  error: [...writes, problem.scheduleNotFound]
}).annotateMerge(OpenApi.annotations({ summary: "Delete a schedule", description: "The tasks that it has made stay." }))

export class SchedulesApi extends HttpApiGroup.make("schedules")
  .add(list)
  .add(get)
  .add(put.annotate(Documented.Needed, "admin"))
  .add(remove.annotate(Documented.Needed, "admin"))
  .prefix("/api/v1")
  .annotateMerge(OpenApi.annotations({ description: "Tasks made again and again, by a calendar or an interval" })) {}
