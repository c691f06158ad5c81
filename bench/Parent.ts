import { once } from "node:events"
import process from "node:process"
import type { Values } from "./Values.ts"

/** The other end of `Child`: what a child says to the bench that has started it. */
export const tell = (values: Values): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(values, () => resolve())
  })

export const asked = async (): Promise<void> => {
  await once(process, "message")
}

/** Lets the process end once nothing is left to do. */
export const leave = (): void => process.disconnect?.()

// so that a profile is written; the bench itself has its own way to end
if (process.send !== undefined) process.once("SIGTERM", () => process.exit())
