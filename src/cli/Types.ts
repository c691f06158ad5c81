import { Console, Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { TypeInfo } from "../api/TypesApi.ts"
import { TaskStatus } from "../domain/Task.ts"
import * as Service from "./Service.ts"
import * as Style from "./Style.ts"
import type { Column } from "./Table.ts"

const toJson = Schema.encodeSync(Schema.Array(TypeInfo))

const columns: ReadonlyArray<Column<TypeInfo>> = [
  { title: "TYPE", cell: ({ name }) => ({ text: name, look: "bold" }) },
  { title: "HANDLED", cell: ({ handled }) => ({ text: handled ? "yes" : "no", look: handled ? "green" : "yellow" }) },
  {
    title: "CONTENT",
    cell: ({ payload }) => ({ text: payload === null ? "any text" : "JSON", look: "dim" })
  },
  ...TaskStatus.literals.map((status): Column<TypeInfo> => ({
    title: status,
    cell: ({ counts }) => ({ text: String(counts?.[status] ?? ""), look: Style.ofStatus(status) })
  }))
]

/** `venom types`: what tasks may be asked for. */
export const command = Command.make("types", Service.flags, (given) =>
  Service.use(
    given,
    Effect.fnUntraced(function* (client, screen) {
      const types = yield* client.types.list()
      yield* screen.tell(toJson(types), () => (types.length === 0 ? [] : screen.table(columns, types)))
      if (types.length === 0 && screen.isTerminal && !screen.asJson) yield* Console.error("No type is known yet")
    })
  )
).pipe(
  Command.withDescription(
    "Lists the types of tasks that the service knows; --json shows their JSON Schemas and defaults"
  )
)
