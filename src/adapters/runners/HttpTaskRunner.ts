import { isUtf8 } from "node:buffer"
import { Clock, Effect, Layer, Option } from "effect"
import { limits } from "../../domain/Task.ts"
import { permanent, retryable, type TaskFailure } from "../../domain/TaskError.ts"
import * as TaskLog from "../../domain/TaskLog.ts"
import { TaskRunner } from "../../ports/TaskRunner.ts"
import * as RetryAfter from "../http/RetryAfter.ts"
import { type Answer, type InvalidTarget, make } from "../http/SignedPost.ts"
import type { Target } from "../http/Target.ts"

export interface HttpOptions extends Target {
  /** Bytes of an answer that a result may have. */
  readonly resultBytes?: number
}

/** Answers of the 4xx kind that say "not now" and not "never". */
const passing: ReadonlyArray<number> = [408, 409, 425, 429]

/** Characters of an answer that a failure quotes. */
const quoted = 2000

const failureOf = ({ body, headers, status }: Answer, now: number): TaskFailure => {
  if (status >= 300 && status < 400) {
    return permanent(`answered ${status} to ${headers["location"] ?? "nowhere"}: redirects are not followed`)
  }
  const said = TaskLog.cut(body.toString("utf8").trim(), quoted)
  const message = said === "" ? `answered ${status}` : `answered ${status}: ${said}`
  return status >= 500 || passing.includes(status)
    ? retryable(message, Option.getOrUndefined(RetryAfter.read(headers["retry-after"], now)))
    : permanent(message)
}

/**
 * Asks a service by HTTP for each attempt: a POST whose body is the content. The body of a 2xx answer is the result.
 *
 * - It is a message by the Standard Webhooks specification. Its `webhook-id` is the id of the task: the same for each
 *   attempt, so that a receiver can tell a repetition. `venom-attempt` tells the attempts apart.
 * - 408, 409, 425, 429, 5xx and no answer are worth another attempt, not before `Retry-After`. Any other answer is not.
 * - Where it may connect to: see `SignedPost`.
 */
export const layer = ({
  resultBytes = limits.contentBytes,
  ...target
}: HttpOptions): Layer.Layer<TaskRunner, InvalidTarget> =>
  Layer.effect(
    TaskRunner,
    Effect.gen(function* () {
      const post = yield* make(target)
      return TaskRunner.of({
        run: Effect.fnUntraced(function* (task, handle) {
          if (!task.content.isWellFormed()) {
            return yield* permanent("the content has half of a surrogate pair, which UTF-8 cannot carry to a service")
          }
          const headers = {
            "venom-task-type": task.type,
            "venom-attempt": `${task.attempt}`,
            "venom-max-attempts": `${task.maxAttempts}`
          }
          const message = { id: task.id, body: task.content, headers }
          const answer = yield* Effect.mapError(post(message, resultBytes), ({ reason }) => retryable(reason))
          if (answer.status < 200 || answer.status > 299) {
            return yield* failureOf(answer, yield* Clock.currentTimeMillis)
          }
          if (answer.isCut) {
            return yield* permanent(`more than ${resultBytes} bytes were answered, the most a result may have`)
          }
          if (!isUtf8(answer.body)) {
            yield* handle.log("the answer was not UTF-8 throughout; what was not is replaced by �")
          }
          return answer.body.toString("utf8")
        })
      })
    })
  )
