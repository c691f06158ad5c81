import { basename } from "node:path"
import { afterAll, beforeAll } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import * as Postgres from "../../support/Postgres.ts"
import { everything } from "../../support/everything.ts"
import * as StateRepositoryTest from "../../ports/StateRepositoryTest.ts"
import { lasting, repository } from "./databases.ts"

const scope = Scope.makeUnsafe()
let url = ""

beforeAll(
  () =>
    Effect.gen(function* () {
      const postgres = yield* Postgres.make({ settings: { fsync: "off" } })
      url = yield* postgres.database
    }).pipe(Scope.provide(scope), Effect.runPromise),
  60_000
)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)

StateRepositoryTest.suite("postgres", (options) => Layer.suspend(() => repository(url, options)), {
  runs: everything ? 200 : 15
})

StateRepositoryTest.durableSuite("postgres", {
  open: (directory) => Layer.suspend(() => lasting(url, basename(directory).toLowerCase()))
})
