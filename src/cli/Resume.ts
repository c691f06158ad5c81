import * as Pausing from "./Pausing.ts"

/** `venom resume`. */
export const command = Pausing.command("resume", "Resumes the queue, or one type", (queue, payload) =>
  queue.resume({ payload })
)
