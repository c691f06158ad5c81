import { asked, tell } from "../Parent.ts"
import { Progress } from "../Progress.ts"
import type { Inside } from "../inside.ts"

/** A contender behind HTTP in a process of its own; `bare` for plain node:http, `work` to work on the tasks too. */
export const inside: Inside = async (system, params) => {
  const completed = new Progress()
  if (params["work"] === 1) await system.work({ started: () => {}, completed: completed.add })
  const { serve } = params["bare"] === 1 ? await import("./bareFront.ts") : await import("./fastifyFront.ts")
  await tell({ port: await serve(system) })
  for (;;) {
    await asked()
    await tell({ completed: completed.done })
  }
}
