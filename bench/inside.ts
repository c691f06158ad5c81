import process from "node:process"
import { leave } from "./Parent.ts"
import { type ContenderKey, contenders } from "./systems/Contenders.ts"
import type { Place, System } from "./systems/System.ts"
import type { Values } from "./Values.ts"

/** What a row does in a process of its own, inside which the contender runs. */
export type Inside = (system: System, params: Values) => Promise<void>

export interface InsidePlan {
  readonly contender: ContenderKey
  readonly place: Place
  /** The module, seen from here, that exports `inside`. */
  readonly module: string
  readonly params: Values
}

const plan: InsidePlan = JSON.parse(process.argv[2] ?? "{}")
const [{ inside }, { open }]: [{ inside: Inside }, Awaited<ReturnType<(typeof contenders)["venom"]["load"]>>] =
  await Promise.all([import(plan.module), contenders[plan.contender].load()])
const system = await open(plan.place)
await inside(system, plan.params)
await system.close()
leave()
