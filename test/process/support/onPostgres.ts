import { Effect, Exit, Scope } from "effect"
import type { TestProject } from "vitest/node"
import * as Postgres from "../../support/Postgres.ts"

/** One server for all tests of a run: `Service.ts` gives each data directory a database of its own there. */
export default async ({ provide }: TestProject) => {
  const scope = Scope.makeUnsafe()
  const { port } = await Effect.runPromise(Scope.provide(Postgres.make({ settings: { fsync: "off" } }), scope))
  provide("postgresPort", port)
  return () => Effect.runPromise(Scope.close(scope, Exit.void))
}

declare module "vitest" {
  export interface ProvidedContext {
    /** Where tests of processes keep tasks in place of their data directories. */
    readonly postgresPort?: number
  }
}
