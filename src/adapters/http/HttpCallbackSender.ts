import { Clock, Effect, Layer, Option } from "effect"
import * as IsoTime from "../../domain/IsoTime.ts"
import type { VenomTask } from "../../domain/Task.ts"
import { permanent, retryable, TaskFailure } from "../../domain/TaskError.ts"
import * as TaskJson from "../../domain/TaskJson.ts"
import * as TaskLog from "../../domain/TaskLog.ts"
import { CallbackSender } from "../../ports/CallbackSender.ts"
import * as RetryAfter from "./RetryAfter.ts"
import { type InvalidTarget, make } from "./SignedPost.ts"
import type { Target } from "./Target.ts"

export interface CallbackOptions {
  /** By type; null where the end of its tasks is told nobody. */
  readonly types: Readonly<Record<string, Target | null>>
  /** For the types that have no word here. */
  readonly others: Target | null
}

/** Bytes of an answer that are looked at. */
const answerBytes = 2000

const event = (task: VenomTask, ended: number): string =>
  `{"type":"task.${task.status === "COMPLETED" ? "completed" : "failed"}","timestamp":"${IsoTime.format(ended)}"` +
  `,"data":${TaskJson.toJson(task)}}`

/**
 * Tells by HTTP that a task has ended: a signed POST by the Standard Webhooks specification, whose body is
 * `{type, timestamp, data}` with the task as `data`. Its `webhook-id` is the same whenever the same end is told again.
 *
 * Any 2xx answer means that it was heard. 410 means that it is not wanted any more, and anything else is tried again.
 */
export const layer = (options: CallbackOptions): Layer.Layer<never, InvalidTarget> =>
  Layer.effect(
    CallbackSender,
    Effect.gen(function* () {
      const postTo = (target: Target | null) => (target === null ? Effect.undefined : make(target))
      const others = yield* postTo(options.others)
      const types = new Map(
        yield* Effect.forEach(Object.entries(options.types), ([type, target]) =>
          Effect.map(postTo(target), (post) => [type, post] as const)
        )
      )
      const postOf = (type: string) => (types.has(type) ? types.get(type) : others)

      return {
        isFor: (type) => postOf(type) !== undefined,
        send: Effect.fnUntraced(function* (task) {
          const post = postOf(task.type)
          if (post === undefined)
            return yield* permanent(`no callback is configured for the type ${task.type} any more`)
          const ended = task.finishedAt ?? task.updatedAt
          const message = {
            id: `${task.id}-${ended}`,
            // half of a surrogate pair is an escape in JSON
            body: event(task, ended),
            headers: { "content-type": "application/json", "venom-task-type": task.type }
          }
          const { body, headers, status } = yield* Effect.mapError(post(message, answerBytes), ({ reason }) =>
            retryable(reason)
          )
          if (status >= 200 && status < 300) return
          const said = TaskLog.cut(body.toString("utf8").trim(), 200)
          const retryAfter = RetryAfter.read(headers["retry-after"], yield* Clock.currentTimeMillis)
          return yield* new TaskFailure({
            message: said === "" ? `answered ${status}` : `answered ${status}: ${said}`,
            retryable: status !== 410,
            ...(Option.isSome(retryAfter) ? { retryAfter: retryAfter.value } : {})
          })
        })
      }
    })
  )
