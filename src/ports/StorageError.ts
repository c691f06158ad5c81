import { Schema } from "effect"

/** Storage refused. The change has not happened and is not visible; the same call may succeed later. */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  /** For the operator: what failed, in words. */
  reason: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `Storage is not writable: ${this.reason}`
  }
}

/** So many unfinished tasks are held, or so many entries that expire, that no more are taken. */
export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", {
  limit: Schema.Int,
  of: Schema.Literals(["unfinished tasks", "idempotency keys"])
}) {
  override get message() {
    return `The queue holds its limit of ${this.limit} ${this.of}`
  }
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(2)} MiB`

/** So little room is left that no more tasks are taken: what becomes of those that are there must still fit. */
export class StorageFull extends Schema.TaggedError<StorageFull>()("StorageFull", {
  /** Bytes. */
  free: Schema.Finite,
  needed: Schema.Finite
}) {
  /** For the operator, in words. */
  get reason() {
    return `${mebibytes(this.free)} of disk space are left, and ${mebibytes(this.needed)} are needed`
  }
  override get message() {
    return `Storage is not writable for new tasks: ${this.reason}`
  }
}
