import { Clock, Duration, Effect, Layer, Option, Schema } from "effect"
import { Digest, SecureRandom } from "effect/crypto"
import { type InputIssue, within } from "../domain/InputIssues.ts"
import * as Lifecycle from "../domain/Lifecycle.ts"
import {
  type Instant,
  isContent,
  limits,
  type TaskCopyRequest,
  TaskId,
  TaskRequest,
  type VenomTask
} from "../domain/Task.ts"
import { IdempotencyKeyReused, InvalidContent, TaskNotFound } from "../domain/TaskError.ts"
import * as Trace from "../domain/Trace.ts"
import { CallbackSender } from "../ports/CallbackSender.ts"
import type { Entry, Put } from "../ports/Entry.ts"
import { StateRepository } from "../ports/StateRepository.ts"
import type { QueueFull, StorageError, StorageFull } from "../ports/StorageError.ts"
import { complete, RegisteredTypes } from "../ports/RegisteredTypes.ts"
import { Draining, type ServiceDraining } from "./Draining.ts"
import { EngineSettings } from "./EngineSettings.ts"

/** How long an idempotency key is known. */
const keptFor = Duration.toMillis("24 hours")

/** A new task, or one like another: that one must be there. */
export type Requested = TaskRequest | TaskCopyRequest

export type SubmitError = StorageError | QueueFull | StorageFull | ServiceDraining | TaskNotFound | InvalidContent

/** What a submitted task is known by, and where it is: PENDING, unless it was there before. */
export type Submitted = Pick<VenomTask, "id" | "status">

interface Once {
  readonly tasks: ReadonlyArray<Submitted>
  /** Whether an earlier request with the key has made them. */
  readonly replayed: boolean
}

/** Whether a request is about one task, or about a list of them. */
type Kind = "one" | "many"

/** What is kept under an idempotency key. */
const Remembered = Schema.Struct({
  fingerprint: Schema.String,
  tasks: Schema.Array(TaskId)
})
const decodeRemembered = Schema.decodeUnknownOption(Remembered)

const decode = Schema.decodeUnknownEffect(Schema.toType(TaskRequest), { errors: "all" })

/** Of a list of tasks, told at most, more or less. */
const mostIssues = 100

const utf8 = new TextEncoder()

/** The same text for the same value: the order of its keys does not matter. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner
  )

const keyOf = (entry: Entry): string => entry.name.slice(prefix.length)
const prefix = "idempotency/"

/** Takes tasks in. */
export const make = Effect.gen(function* () {
  const repository = yield* StateRepository
  const settings = yield* EngineSettings
  const callbacks = yield* CallbackSender
  const draining = yield* Draining
  const types = yield* RegisteredTypes
  const random = yield* SecureRandom.SecureRandom
  const given = yield* Effect.serviceOption(Digest.Digest)
  const digest = Option.isSome(given)
    ? given.value
    : yield* Effect.provide(Digest.Digest, Layer.fresh(Digest.layerWebCrypto))
  // whoever makes a UUID need not look whether it is one
  const newId = Effect.map(random.uuidV7(), (uuid) => TaskId.make(uuid, { disableChecks: true }))

  /** Whether nothing is left to be looked at or filled in: most requests have a content and no more. */
  const isPlain = (request: Requested): request is TaskRequest =>
    (types.size === 0 || !types.has("default")) &&
    Object.keys(request).length === 1 &&
    typeof request.content === "string" &&
    isContent(request.content)

  /** As its type completes it; what an application asks for is held to the same rules as what comes over the wire. */
  const checked = (request: TaskRequest): Effect.Effect<TaskRequest, InvalidContent> =>
    Effect.flatMap(complete(types, request), (request) => Effect.mapError(decode(request), InvalidContent.of))

  const whole = (request: Requested): Effect.Effect<TaskRequest, StorageError | TaskNotFound | InvalidContent> => {
    if (!("copyOf" in request)) return isPlain(request) ? Effect.succeed(request) : checked(request)
    const { copyOf } = request
    return Effect.flatMap(repository.get(copyOf), (task): Effect.Effect<TaskRequest, TaskNotFound | InvalidContent> =>
      Option.isSome(task)
        ? checked(Lifecycle.copy(task.value, request))
        : Effect.fail(new TaskNotFound({ taskId: copyOf }))
    )
  }

  /** Whatever is wrong with any of them is told, up to a bound. */
  const wholeOfAll = Effect.fnUntraced(function* (requests: ReadonlyArray<Requested>) {
    const all: Array<TaskRequest> = []
    const issues: Array<InputIssue> = []
    for (const [n, request] of requests.entries()) {
      const result = yield* whole(request).pipe(
        Effect.map((request) => all.push(request)),
        Effect.catchTag("InvalidContent", Effect.succeed)
      )
      if (typeof result === "number") continue
      issues.push(...result.issues.map(({ message, path }) => ({ path: within(`tasks[${n}]`, path), message })))
      if (issues.length >= mostIssues) break
    }
    return issues.length === 0 ? all : yield* new InvalidContent({ issues })
  })

  const taskOf = (request: TaskRequest, id: TaskId, now: Instant, traceparent: string | undefined): VenomTask =>
    Lifecycle.submit(request, {
      id,
      now,
      maxAttempts: settings.maxAttempts,
      hasCallback: callbacks !== undefined && callbacks.isFor(request.type ?? "default"),
      traceparent
    })

  const tasksOf = Effect.fnUntraced(function* (kind: Kind, requests: ReadonlyArray<Requested>) {
    if (requests.length > limits.bulk) {
      return yield* Effect.die(new RangeError(`At most ${limits.bulk} tasks are taken at once`))
    }
    const now = yield* Clock.currentTimeMillis
    const all = yield* kind === "one" ? Effect.forEach(requests, whole) : wholeOfAll(requests)
    const traceparent = yield* Trace.ofSubmit
    return yield* Effect.forEach(all, (request) => Effect.map(newId, (id) => taskOf(request, id, now, traceparent)))
  })

  const insert = (tasks: ReadonlyArray<VenomTask>) =>
    Effect.catchTag(repository.insert(tasks), "EntryChanged", Effect.die)

  const statusOf = (id: TaskId): Effect.Effect<Submitted, StorageError> =>
    // one that is deleted by now was PENDING when it was taken
    Effect.map(
      repository.get(id),
      Option.match({ onNone: () => ({ id, status: "PENDING" }), onSome: ({ status }) => ({ id, status }) })
    )

  const replay = Effect.fnUntraced(function* (entry: Entry, fingerprint: string) {
    const remembered = Option.filter(decodeRemembered(entry.value), (known) => known.fingerprint === fingerprint)
    if (Option.isNone(remembered)) return yield* new IdempotencyKeyReused({ key: keyOf(entry) })
    const once: Once = { tasks: yield* Effect.forEach(remembered.value.tasks, statusOf), replayed: true }
    return once
  })

  const once = Effect.fnUntraced(function* (key: string, kind: Kind, requests: ReadonlyArray<Requested>) {
    yield* draining.refuse
    const name = `${prefix}${key}`
    const now = yield* Clock.currentTimeMillis
    const fingerprint = yield* digest.digestHex(Digest.sha256, utf8.encode(canonical([kind, requests])))
    const known = Option.filter(yield* repository.entry(name), ({ expiresAt }) => expiresAt === null || expiresAt > now)
    // whoever has been answered is answered again: also when a task to copy has gone, or the queue is full
    if (Option.isSome(known)) return yield* replay(known.value, fingerprint)
    const put = (made: ReadonlyArray<VenomTask>): Put => ({
      name,
      value: { fingerprint, tasks: made.map(({ id }) => id) },
      expects: 0,
      expiresAt: now + keptFor,
      now
    })
    return yield* repository.insert(yield* tasksOf(kind, requests), put).pipe(
      Effect.map((tasks): Once => ({ tasks, replayed: false })),
      Effect.catchTag("EntryChanged", ({ entry }) =>
        Option.isSome(entry) ? replay(entry.value, fingerprint) : Effect.die(`the entry ${name} is not what it is`)
      )
    )
  })

  return {
    submit: Effect.fnUntraced(function* (request: Requested) {
      yield* draining.refuse
      const now = yield* Clock.currentTimeMillis
      const task = taskOf(isPlain(request) ? request : yield* whole(request), yield* newId, now, yield* Trace.ofSubmit)
      const [made = task] = yield* insert([task])
      return made
    }),
    submitAll: Effect.fnUntraced(function* (requests: ReadonlyArray<Requested>) {
      yield* draining.refuse
      return yield* insert(yield* tasksOf("many", requests))
    }),
    submitOnce: Effect.fnUntraced(function* (key: string, request: Requested) {
      const { replayed, tasks } = yield* once(key, "one", [request])
      const [task] = tasks
      return task === undefined ? yield* Effect.die("no task was made") : { task, replayed }
    }),
    submitAllOnce: (key: string, requests: ReadonlyArray<Requested>) => once(key, "many", requests)
  }
})
