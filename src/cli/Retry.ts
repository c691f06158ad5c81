import * as Action from "./Action.ts"

/** `venom retry`. */
export const command = Action.command({
  name: "retry",
  done: "given another attempt",
  description: "Gives FAILED tasks another attempt, by id or all that match",
  from: ["FAILED"],
  one: (actions, id) => actions.retry({ params: { id } }),
  all: (actions, payload) => actions.retryAll({ payload })
})
