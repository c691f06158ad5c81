import * as Action from "./Action.ts"

/** `venom cancel`. */
export const command = Action.command({
  name: "cancel",
  done: "cancelled",
  description: "Cancels tasks, by id or all that match; attempts that run have ended when it answers",
  from: ["PENDING", "PROCESSING"],
  one: (actions, id) => actions.cancel({ params: { id } }),
  all: (actions, payload) => actions.cancelAll({ payload })
})
