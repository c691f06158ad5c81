import { Context, Effect, type JsonSchema } from "effect"
import type { TaskRequest, Wishes } from "../domain/Task.ts"
import type { InvalidContent } from "../domain/TaskError.ts"

/** What a request of a type is given where it says nothing. Keys that come from the content are not told here. */
export interface TypeDefaults extends Omit<Wishes, "deadline" | "concurrencyKey" | "uniqueKey"> {
  readonly priority?: number
  readonly maxAttempts?: number
  readonly tags?: ReadonlyArray<string>
  /** Counts from the submit. */
  readonly deadline?: string | number
}

/** A task type whose content means something to this service. */
export interface RegisteredType {
  readonly name: string
  readonly defaults: TypeDefaults
  /** What stands in content, in a result and in the data of a failure, as JSON. */
  readonly payload: JsonSchema.Document<"draft-2020-12">
  readonly success: JsonSchema.Document<"draft-2020-12">
  readonly failure: JsonSchema.Document<"draft-2020-12">
  /**
   * The whole request: its content is what the type says, and what it leaves open is as the type has it. It is the
   * same where nothing is left open.
   */
  readonly complete: (request: TaskRequest) => Effect.Effect<TaskRequest, InvalidContent>
}

/** The types that are known here, by name. A task of another type may have any content. */
export const RegisteredTypes: Context.Reference<ReadonlyMap<string, RegisteredType>> = Context.Reference<
  ReadonlyMap<string, RegisteredType>
>("venom/ports/RegisteredTypes", { defaultValue: () => new Map() })

/** The request as the type that it names completes it; as it is where that type is not registered. */
export const complete = (
  types: ReadonlyMap<string, RegisteredType>,
  request: TaskRequest
): Effect.Effect<TaskRequest, InvalidContent> =>
  types.get(request.type ?? "default")?.complete(request) ?? Effect.succeed(request)
