import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import * as ActionsHandlers from "./ActionsHandlers.ts"
import * as Docs from "./Docs.ts"
import * as Edge from "./Edge.ts"
import * as EventsHandlers from "./EventsHandlers.ts"
import * as HealthHandlers from "./HealthHandlers.ts"
import * as QueueHandlers from "./QueueHandlers.ts"
import * as SchedulesHandlers from "./SchedulesHandlers.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as TasksHandlers from "./TasksHandlers.ts"
import * as TypesHandlers from "./TypesHandlers.ts"

/**
 * Everything that Venom answers, as routes of an `HttpRouter`; no socket is opened here. Reads
 * `ServerSettings`, needs the `Orchestrator`.
 *
 * It speaks for the whole router: what no route answers becomes a problem document of ours.
 * Serve it without the library's request logger, which costs more than the request does:
 * `HttpRouter.serve(HttpApi.layer, { disableLogger: true })`.
 */
export const layer = Layer.mergeAll(
  HttpApiBuilder.layer(VenomApi).pipe(
    Layer.provide([
      TasksHandlers.layer,
      ActionsHandlers.layer,
      EventsHandlers.layer,
      QueueHandlers.layer,
      SchedulesHandlers.layer,
      TypesHandlers.layer,
      HealthHandlers.layer
    ])
  ),
  Docs.layer,
  Edge.layer
).pipe(Layer.provide(ServiceLog.layer))
