import { HttpApi, OpenApi } from "effect/http-api"
import { ActionsApi } from "./ActionsApi.ts"
import { EventsApi } from "./EventsApi.ts"
import { HealthApi } from "./HealthApi.ts"
import { NodesApi } from "./NodesApi.ts"
import { QueueApi } from "./QueueApi.ts"
import { SessionApi } from "./SessionApi.ts"
import { SchedulesApi } from "./SchedulesApi.ts"
import { StatisticsApi } from "./StatisticsApi.ts"
import { TasksApi } from "./TasksApi.ts"
import { TypesApi } from "./TypesApi.ts"

/** Everything that is wrong is told at once, and nothing unknown is passed over. */
const strict = { errors: "all", onExcessProperty: "error" } as const

/** The HTTP contract: what the server answers, what clients and documents are made of. */
export class VenomApi extends HttpApi.make("venom")
  .add(TasksApi)
  .add(ActionsApi)
  .add(EventsApi)
  .add(QueueApi)
  .add(SchedulesApi)
  .add(TypesApi)
  .add(NodesApi)
  .add(StatisticsApi)
  .add(SessionApi)
  .add(HealthApi)
  .annotate(HttpApi.PayloadParseOptions, strict)
  .annotate(HttpApi.QueryParseOptions, strict)
  .annotateMerge(
    OpenApi.annotations({
      title: "Venom",
      version: "1",
      description: "A durable task queue. Every error is a problem document (RFC 9457, application/problem+json)."
    })
  ) {}
