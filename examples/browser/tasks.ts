import { Schema } from "effect"
import { TaskType } from "venom/client"

export class NothingToCount extends Schema.TaggedError<NothingToCount>()("NothingToCount", {}) {
  override readonly message = "There is nothing to count"
}

/** Known to the page, which submits it, and to the service, which does it. */
export const CountWords = TaskType.make("count-words", {
  payload: Schema.Struct({ text: Schema.String }),
  success: Schema.Struct({ words: Schema.Int }),
  failure: NothingToCount,
  retry: () => "never"
})
