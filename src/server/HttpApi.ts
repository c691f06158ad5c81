import { Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { VenomApi } from "../api/VenomApi.ts"
import type { FlowControl } from "../engine/FlowControl.ts"
import type { Metrics } from "../engine/Metrics.ts"
import type { Nodes } from "../engine/Nodes.ts"
import type { Statistics } from "../engine/Statistics.ts"
import type { StorageReport } from "../engine/StorageReport.ts"
import type { Orchestrator } from "../engine/Orchestrator.ts"
import type { Schedules } from "../engine/Schedules.ts"
import type { TypeCatalog } from "../engine/TypeCatalog.ts"
import { Access } from "./Access.ts"
import * as ActionsHandlers from "./ActionsHandlers.ts"
import * as Docs from "./Docs.ts"
import * as Edge from "./Edge.ts"
import * as EventsHandlers from "./EventsHandlers.ts"
import * as HealthHandlers from "./HealthHandlers.ts"
import * as MetricsPage from "./MetricsPage.ts"
import * as NodesHandlers from "./NodesHandlers.ts"
import * as Page from "./Page.ts"
import * as QueueHandlers from "./QueueHandlers.ts"
import * as SchedulesHandlers from "./SchedulesHandlers.ts"
import { ServiceLog } from "./ServiceLog.ts"
import * as SessionHandlers from "./SessionHandlers.ts"
import * as StatisticsHandlers from "./StatisticsHandlers.ts"
import * as TasksHandlers from "./TasksHandlers.ts"
import * as TypesHandlers from "./TypesHandlers.ts"

/** The use cases that are answered. */
export type Engine = Orchestrator | Schedules | FlowControl | TypeCatalog | Nodes | Metrics | Statistics | StorageReport

/** Of the router of these routes. A parameter may be the longest name of a schedule, with each of its letters escaped. */
export const routerConfig = { caseSensitive: true, maxParamLength: 3 * 128 }

/**
 * Everything that Venom answers, as routes of an `HttpRouter`; no socket is opened here. Reads `ServerSettings`.
 *
 * It speaks for the whole router: what no route answers becomes a problem document of ours.
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
      NodesHandlers.layer,
      StatisticsHandlers.layer,
      SessionHandlers.layer,
      HealthHandlers.layer
    ])
  ),
  Docs.layer,
  MetricsPage.layer,
  Page.layer,
  Edge.layer
).pipe(Layer.provide([ServiceLog.layer, Access.layer]))
