import { Effect, Schema } from "effect"
import { TaskType } from "venom"
import { Orders } from "./Orders.ts"

export const ShipOrder = TaskType.make("ship-order", {
  payload: Schema.Struct({ orderId: Schema.String }),
  success: Schema.Struct({ parcel: Schema.String }),
  // of an order there is never more than one unfinished task
  uniqueKey: ({ orderId }) => orderId
})

/** Does the work with a service of the application. It may be asked twice, so it looks first. */
export const ShipOrderHandler = ShipOrder.toLayer(({ orderId }, attempt) =>
  Effect.gen(function* () {
    const orders = yield* Orders
    const order = yield* orders.find(orderId)
    const parcel = order?.parcel ?? `parcel-of-${orderId}`
    yield* attempt.log(`${order?.item ?? "nothing"} goes into ${parcel}`)
    yield* orders.ship(orderId, parcel)
    return { parcel }
  })
)

/** A crash may come between an order and its task: whatever is not shipped is asked for again at the start. */
export const shipTheRest = Effect.gen(function* () {
  const { unshipped } = yield* Orders
  for (const { id } of yield* unshipped) yield* ShipOrder.submit({ orderId: id })
})
