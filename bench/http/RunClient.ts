import type { Arena } from "../Arena.ts"
import * as Child from "../Child.ts"
import { usedMicros } from "../Processes.ts"
import type { Values } from "../Values.ts"
import type { ClientPlan } from "./client.ts"

/** Runs a client in a process of its own and gives what it found, and the processor time that a request took all others. */
export const run = async (arena: Arena, plan: ClientPlan): Promise<Values> => {
  const pids = arena.pids()
  const before = usedMicros(pids)
  const found = await arena.own(Child.start("http/client.ts", plan)).next()
  if (found["errors"] !== 0) throw new Error(`${found["errors"]} of ${found["count"]} requests failed`)
  return { ...found, processor: (usedMicros(pids) - before) / (found["asked"] ?? Number.NaN) }
}
