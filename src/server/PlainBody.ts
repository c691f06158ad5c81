import { Schema } from "effect"
import * as IsoTime from "../domain/IsoTime.ts"
import { TaskRequest } from "../domain/Task.ts"

/**
 * The `TaskRequest` in a body that is as good as bodies usually are; `undefined` where it is not, or where
 * only the schema's own decoder can tell. What this reads, `RequestBody` reads too, and as the same request.
 */
export const read = (bytes: Buffer): TaskRequest | undefined => {
  const text = bytes.toString("utf8")
  // stands for bytes that are no UTF-8, or for itself
  if (text.includes("\uFFFD")) return undefined
  try {
    return taskRequest(JSON.parse(text))
  } catch {
    // whoever reads it next says what is wrong with it
    return undefined
  }
}

const isTaskRequest = Schema.is(Schema.toType(TaskRequest))

/** The schema's names and times by hand, its limits by the schema. */
const taskRequest = (input: unknown): TaskRequest | undefined => {
  if (!isRecord(input)) return undefined
  const request: Record<string, unknown> = {}
  for (const name of Object.keys(input)) {
    const value = input[name]
    switch (name) {
      case "content":
      case "type":
      case "priority":
      case "tags":
        request[name] = value
        break
      case "max_attempts":
        request["maxAttempts"] = value
        break
      case "run_at":
        request["runAt"] = instant(value)
        break
      default:
        return undefined
    }
  }
  return isTaskRequest(request) ? request : undefined
}

const isRecord = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null

/** A time as Venom itself writes it; there are more ways to write one. */
const instant = (value: unknown): number | undefined => {
  if (typeof value !== "string") return undefined
  const millis = Date.parse(value)
  return millis >= IsoTime.earliest && millis <= IsoTime.latest && IsoTime.format(millis) === value ? millis : undefined
}
