import { describe } from "@effect/vitest"
import { changes } from "./repository/changes.ts"
import { claims } from "./repository/claims.ts"
import { deadlines } from "./repository/deadlines.ts"
import { type Reopen, durability } from "./repository/durability.ts"
import { entries } from "./repository/entries.ts"
import { flow } from "./repository/flow.ts"
import { type MakeRepository, testsWith } from "./repository/harness.ts"
import { againstModel } from "./repository/model.ts"
import { pages } from "./repository/pages.ts"
import { whyAgainstClaims } from "./repository/why.ts"
import { prune } from "./repository/prune.ts"
import { storage } from "./repository/storage.ts"

/** Holds a repository to every sentence of `StateRepository`. */
export const suite = (name: string, make: MakeRepository, options: { readonly runs?: number } = {}): void => {
  describe(`${name} state repository`, () => {
    const test = testsWith(make)
    changes(test)
    claims(test)
    deadlines(test)
    entries(test)
    flow(test)
    pages(test)
    prune(test)
    storage(test)
    whyAgainstClaims(make, options.runs ?? 100)
    againstModel(make, options.runs ?? 100)
  })
}

/** Holds a repository that outlives its process to: what was acknowledged is there. */
export const durableSuite = (name: string, reopen: Reopen): void => {
  describe(`${name} state repository, closed and opened again`, () => {
    durability(reopen)
  })
}
