import * as Pausing from "./Pausing.ts"

/** `venom pause`. */
export const command = Pausing.command(
  "pause",
  "Pauses the queue, or one type: no attempt begins any more, until it is resumed",
  (queue, payload) => queue.pause({ payload })
)
