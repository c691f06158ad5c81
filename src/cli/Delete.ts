import * as Action from "./Action.ts"

/** `venom delete`. */
export const command = Action.command({
  name: "delete",
  done: "deleted",
  description: "Deletes finished tasks, by id or all that match",
  from: ["COMPLETED", "FAILED"],
  one: (actions, id) => actions.delete({ params: { id } }),
  all: (actions, payload) => actions.deleteAll({ payload })
})
