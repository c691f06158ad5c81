import { Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Orders } from "./Orders.ts"
import { ShipOrder } from "./shipping.ts"

const NewOrder = Schema.Struct({ item: Schema.NonEmptyString })
const badRequest = HttpServerResponse.text("An order has an item", { status: 400 })

const order = HttpRouter.add(
  "POST",
  "/orders",
  Effect.gen(function* () {
    const { item } = yield* HttpServerRequest.schemaBodyJson(NewOrder)
    const id = yield* (yield* SecureRandom.SecureRandom).uuidV7()
    yield* (yield* Orders).add({ id, item })
    const task = yield* ShipOrder.submit({ orderId: id })
    return yield* HttpServerResponse.json({ id, task: `/queue/api/v1/tasks/${task.id}` }, { status: 202 })
  }).pipe(
    Effect.catchTags({
      SchemaError: () => Effect.succeed(badRequest),
      HttpServerError: () => Effect.succeed(badRequest)
    })
  )
)

const look = HttpRouter.add(
  "GET",
  "/orders/:id",
  Effect.gen(function* () {
    const { id = "" } = yield* HttpRouter.params
    const found = yield* (yield* Orders).find(id)
    return found === undefined
      ? HttpServerResponse.text("There is no such order", { status: 404 })
      : yield* HttpServerResponse.json(found)
  })
)

export const Routes = Layer.merge(order, look)
