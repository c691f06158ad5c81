import { enableCompileCache } from "node:module"
import type { Open } from "./System.ts"

/** One row's rival: a queue with the server it needs and the settings it runs with. */
export interface Contender {
  readonly name: string
  /** Whether what was answered survives a power cut. */
  readonly durable: boolean
  readonly server: "none" | "redis" | "postgres"
  readonly settings: string
  readonly load: () => Promise<{ readonly open: Open }>
}

const redis = (appendfsync: "always" | "everysec"): Contender => ({
  name: `BullMQ, ${appendfsync}`,
  durable: appendfsync === "always",
  server: "redis",
  settings: `Redis with appendonly yes, appendfsync ${appendfsync}, save ""; worker concurrency 64; finished jobs kept`,
  load: () => import("./BullMq.ts")
})

export const contenders = {
  venom: {
    name: "Venom",
    durable: true,
    server: "none",
    settings: "file store, VENOM_FSYNC always, concurrency 64, everything else as by default",
    load: () => {
      // as its program does
      enableCompileCache()
      return import("./Venom.ts")
    }
  },
  limit: {
    name: "plain Node at the limit",
    durable: true,
    server: "none",
    settings:
      "a Map, a journal with group commit and fdatasync, one record per submit, claim and verdict; bare node:http",
    load: () => import("./Limit.ts")
  },
  bullmqAlways: redis("always"),
  bullmqEverysec: redis("everysec"),
  venomPostgres: {
    name: "Venom on PostgreSQL",
    durable: true,
    server: "postgres",
    settings:
      "PostgreSQL with its defaults, synchronous_commit on, pool of 10; concurrency 64, everything else as by default; finished tasks kept",
    load: () => import("./VenomPostgres.ts")
  },
  pgBoss: {
    name: "pg-boss",
    durable: true,
    server: "postgres",
    settings:
      "PostgreSQL with its defaults, synchronous_commit on, pool of 32; two loops that fetch and complete 32 jobs at a time",
    load: () => import("./PgBoss.ts")
  },
  graphileWorker: {
    name: "graphile-worker",
    durable: true,
    server: "postgres",
    settings:
      "PostgreSQL with its defaults, synchronous_commit on, pool of 32; concurrentJobs 64, localQueue of 65, completions batched; deletes finished jobs",
    load: () => import("./GraphileWorker.ts")
  }
} as const satisfies Record<string, Contender>

export type ContenderKey = keyof typeof contenders
export const isContender = (key: string): key is ContenderKey => Object.hasOwn(contenders, key)
export const peers: ReadonlyArray<ContenderKey> = ["bullmqAlways", "bullmqEverysec", "pgBoss", "graphileWorker"]
