import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Context, Effect, Layer, Schema } from "effect"

export const Order = Schema.Struct({ id: Schema.String, item: Schema.String, parcel: Schema.NullOr(Schema.String) })
export type Order = typeof Order.Type

const decode = Schema.decodeUnknownSync(Schema.Array(Order))

/** The application's own database: Venom knows nothing of it. */
export class Orders extends Context.Service<
  Orders,
  {
    readonly add: (order: Omit<Order, "parcel">) => Effect.Effect<void>
    readonly ship: (id: string, parcel: string) => Effect.Effect<void>
    readonly find: (id: string) => Effect.Effect<Order | undefined>
    readonly unshipped: Effect.Effect<ReadonlyArray<Order>>
  }
>()("app/Orders") {
  static readonly layer = (path: string) =>
    Layer.effect(
      Orders,
      Effect.gen(function* () {
        const database = yield* Effect.acquireRelease(
          Effect.sync(() => {
            mkdirSync(dirname(path), { recursive: true })
            return new DatabaseSync(path)
          }),
          (database) => Effect.sync(() => database.close())
        )
        database.exec("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, item TEXT NOT NULL, parcel TEXT)")
        const insert = database.prepare("INSERT INTO orders (id, item) VALUES (?, ?)")
        const update = database.prepare("UPDATE orders SET parcel = ? WHERE id = ?")
        const one = database.prepare("SELECT id, item, parcel FROM orders WHERE id = ?")
        const waiting = database.prepare("SELECT id, item, parcel FROM orders WHERE parcel IS NULL")
        return Orders.of({
          add: ({ id, item }) => Effect.sync(() => insert.run(id, item)),
          ship: (id, parcel) => Effect.sync(() => update.run(parcel, id)),
          find: (id) => Effect.sync(() => decode(one.all(id))[0]),
          unshipped: Effect.sync(() => decode(waiting.all()))
        })
      })
    )
}
