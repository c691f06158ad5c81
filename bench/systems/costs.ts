import { Effect, Result, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import * as Lifecycle from "../../src/domain/Lifecycle.ts"
import { TaskId, type TaskRequest } from "../../src/domain/Task.ts"
import { StateRepository } from "../../src/ports/StateRepository.ts"
import { median } from "../Values.ts"

const batch = 64

/** What submit, claim and settle of 64 tasks cost on the repository, in milliseconds: medians over some turns. */
export const measure = Effect.fnUntraced(function* (turns: number, requestOf: (n: number) => TaskRequest) {
  const repository = yield* StateRepository
  const random = yield* SecureRandom.SecureRandom
  const took = { submit: new Array<number>(), claim: new Array<number>(), settle: new Array<number>() }
  for (let turn = 0; turn < turns; turn++) {
    const now = Date.now()
    const tasks = yield* Effect.forEach(Array.from({ length: batch }), (_, n) =>
      Effect.map(random.uuidV7(), (uuid) =>
        Lifecycle.submit(requestOf(turn * batch + n), {
          id: Schema.decodeSync(TaskId)(uuid),
          now,
          maxAttempts: 5
        })
      )
    )
    const start = performance.now()
    yield* repository.insert(tasks)
    const inserted = performance.now()
    const claimed = yield* repository.claim({ limit: batch, now })
    const claiming = performance.now()
    const settled = yield* repository.settle(
      claimed.map((claimed) => ({ claimed, transition: Lifecycle.complete("done", now) }))
    )
    const settling = performance.now()
    if (settled.length !== batch || settled.some(Result.isFailure))
      return yield* Effect.die("not every claim was settled")
    took.submit.push(inserted - start)
    took.claim.push(claiming - inserted)
    took.settle.push(settling - claiming)
  }
  return { submit: median(took.submit), claim: median(took.claim), settle: median(took.settle) }
})
