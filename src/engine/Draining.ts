import { Context, Effect, Latch, Layer, Ref, Schema } from "effect"

/** The service is stopping and takes nothing in. */
export class ServiceDraining extends Schema.TaggedError<ServiceDraining>()("ServiceDraining", {}) {
  override get message() {
    return "Venom is shutting down"
  }
}

/** Begins once, at the start of an orderly stop, and never ends. */
export class Draining extends Context.Service<
  Draining,
  {
    readonly begin: Effect.Effect<void>
    readonly hasBegun: Effect.Effect<boolean>
    readonly awaitBegin: Effect.Effect<void>
    /** Fails once draining has begun. */
    readonly refuse: Effect.Effect<void, ServiceDraining>
  }
>()("venom/engine/Draining") {
  static readonly layer = Layer.effect(
    Draining,
    Effect.gen(function* () {
      const begun = yield* Ref.make(false)
      const latch = yield* Latch.make(false)
      return Draining.of({
        begin: Effect.andThen(Ref.set(begun, true), latch.open),
        hasBegun: Ref.get(begun),
        awaitBegin: latch.await,
        refuse: Effect.flatMap(Ref.get(begun), (draining) =>
          draining ? Effect.fail(new ServiceDraining()) : Effect.void
        )
      })
    })
  )
}
