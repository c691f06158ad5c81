import { Layer } from "effect"
import { Attempt } from "./Attempt.ts"
import * as Callbacks from "./Callbacks.ts"
import { Dispatcher } from "./Dispatcher.ts"
import { Draining } from "./Draining.ts"
import { Events } from "./Events.ts"
import { Metrics } from "./Metrics.ts"
import { Orchestrator } from "./Orchestrator.ts"
import { Pruner } from "./Pruner.ts"
import { FlowControl } from "./FlowControl.ts"
import * as InProcessTaskClient from "./InProcessTaskClient.ts"
import { Nodes } from "./Nodes.ts"
import * as Recovery from "./Recovery.ts"
import * as Scheduler from "./Scheduler.ts"
import { Schedules } from "./Schedules.ts"
import { Statistics } from "./Statistics.ts"
import { StorageReport } from "./StorageReport.ts"
import { TypeCatalog } from "./TypeCatalog.ts"

/**
 * The whole engine over a repository and a runner: orphans are handled first, then claiming begins.
 * Closing its scope interrupts what runs and releases it.
 */
export const layer = Layer.mergeAll(
  InProcessTaskClient.layer,
  Layer.provideMerge(Metrics.layer, FlowControl.layer),
  TypeCatalog.layer,
  Nodes.layer,
  Layer.provideMerge(StorageReport.layer, Statistics.layer)
).pipe(
  Layer.provideMerge(Orchestrator.layer),
  Layer.provideMerge(Dispatcher.layer),
  Layer.provide(Attempt.layer),
  Layer.provideMerge(Events.layer),
  Layer.provideMerge(Layer.provideMerge(Scheduler.layer, Schedules.layer)),
  Layer.provideMerge(Callbacks.layer),
  Layer.provideMerge(Draining.layer),
  Layer.provideMerge(Pruner.layer),
  Layer.provide(Recovery.layer)
)
