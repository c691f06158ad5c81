import { Option, Schema } from "effect"
import { BackoffRequest } from "../domain/Backoff.ts"
import * as IsoTime from "../domain/IsoTime.ts"
import { limits, TaskRequest } from "../domain/Task.ts"

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

/** `isTaskRequest` passes over fields that it does not know. */
const backoff = Schema.decodeUnknownOption(BackoffRequest, { onExcessProperty: "error" })

const isTaskRequest = Schema.is(Schema.toType(TaskRequest))

/** Names and times by hand; limits by the schema, but for those of a content, which nearly all are far from. */
const taskRequest = (input: unknown): TaskRequest | undefined => {
  if (!isRecord(input)) return undefined
  const { content } = input
  if (typeof content !== "string" || content.length * 3 > limits.contentBytes) return undefined
  const more: Record<string, unknown> = {}
  let runAt: number | undefined
  let hasMore = false
  for (const name of Object.keys(input)) {
    switch (name) {
      case "content":
        break
      case "run_at":
        runAt = instant(input[name])
        if (runAt === undefined) return undefined
        break
      case "deadline":
        more[name] = instant(input[name])
        if (more[name] === undefined) return undefined
        hasMore = true
        break
      case "max_attempts":
        more["maxAttempts"] = input[name]
        hasMore = true
        break
      case "concurrency_key":
        more["concurrencyKey"] = input[name]
        hasMore = true
        break
      case "unique_key":
        more["uniqueKey"] = input[name]
        hasMore = true
        break
      case "backoff":
        if (Option.isNone(backoff(input[name]))) return undefined
        more[name] = input[name]
        hasMore = true
        break
      case "delay":
      case "priority":
      case "retention":
      case "tags":
      case "timeout":
      case "type":
        more[name] = input[name]
        hasMore = true
        break
      default:
        return undefined
    }
  }
  const request = runAt === undefined ? { content } : { content, runAt }
  if (!hasMore) return request
  const whole = { ...more, ...request }
  return isTaskRequest(whole) ? whole : undefined
}

const isRecord = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === "object" && input !== null

/** A time as Venom itself writes it; there are more ways to write one. */
const instant = (value: unknown): number | undefined => {
  if (typeof value !== "string") return undefined
  const millis = Date.parse(value)
  return millis >= IsoTime.earliest && millis <= IsoTime.latest && IsoTime.format(millis) === value ? millis : undefined
}
