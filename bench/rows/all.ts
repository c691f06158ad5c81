import type { Row } from "../Row.ts"
import { row as bulk } from "./bulk.ts"
import { clusterSubmit, row as cluster } from "./cluster.ts"
import { row as clusterGrowth } from "./clusterGrowth.ts"
import { row as engine } from "./engine.ts"
import { row as get } from "./get.ts"
import { row as growth } from "./growth.ts"
import { row as health } from "./health.ts"
import { row as keys } from "./keys.ts"
import { row as listeners } from "./listeners.ts"
import { row as list } from "./list.ts"
import { row as memory } from "./memory.ts"
import { row as million } from "./million.ts"
import { row as one } from "./one.ts"
import { row as post } from "./post.ts"
import { row as postAndWork } from "./postAndWork.ts"
import { row as restart } from "./restart.ts"
import { row as restartAfterKill } from "./restartAfterKill.ts"
import { row as restartMillion } from "./restartMillion.ts"
import { row as spin } from "./spin.ts"

/** The table, from top to bottom. */
export const rows: ReadonlyArray<Row> = [
  engine,
  one,
  bulk,
  post,
  postAndWork,
  get,
  health,
  spin,
  memory,
  restart,
  restartAfterKill,
  restartMillion,
  million,
  list,
  growth,
  keys,
  listeners,
  cluster,
  clusterSubmit,
  clusterGrowth
]
