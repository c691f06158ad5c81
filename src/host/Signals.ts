import { constants } from "node:os"
import process from "node:process"

const stopping = ["SIGINT", "SIGTERM"] as const

/** npm hands every signal on to what it runs, so that under `npm start` one Ctrl-C arrives twice. */
const echo = process.env["npm_lifecycle_event"] === "start" ? 1000 : 0

// while the program is still loading there is nothing to put in order
let stop: () => void = () => process.exit(0)
let look: () => void = () => {}

/** The first signal asks for an orderly stop; a second one ends the process at once, as if it had no handler. */
export const listen = (): void => {
  let asked: number | undefined
  process.on("SIGUSR2", () => look())
  for (const signal of stopping) {
    process.on(signal, () => {
      if (asked === undefined) {
        asked = performance.now()
        stop()
      } else if (performance.now() - asked >= echo) {
        process.exit(128 + constants.signals[signal])
      }
    })
  }
}

/** How to stop from now on. */
export const onStop = (orderly: () => void): void => {
  stop = orderly
}

/** What SIGUSR2 does from now on. Without a handler it would end the process. */
export const onLook = (closer: () => void): void => {
  look = closer
}
