import type { Tally } from "./Tally.ts"

const each = (what: (one: string) => string, ...ones: ReadonlyArray<string>) => ones.map(what)

/** What a hundred histories must have in them, or they say little. Much more happens less often. */
const wanted: ReadonlyArray<string> = [
  each((one) => `submit: ${one}`, "done", "hung up", "StorageError", "QueueFull"),
  each((one) => `insert: ${one}`, "done", "StorageError", "QueueFull"),
  each((one) => `put: ${one}`, "done", "StorageError", "EntryChanged"),
  each((one) => `flow: ${one}`, "done", "StorageError"),
  each((one) => `cancel: ${one}`, "done", "StorageError", "IllegalTransition"),
  each((one) => `remove: ${one}`, "done", "StorageError", "IllegalTransition"),
  each((one) => `retry: ${one}`, "done", "StorageError", "IllegalTransition"),
  each((one) => `step ${one}`, "nothing to PENDING", "PENDING to PROCESSING", "FAILED to PENDING"),
  each((one) => `step PENDING to FAILED (${one})`, "cancelled", "timeout"),
  each((one) => `step PROCESSING to ${one}`, "PROCESSING", "COMPLETED"),
  each((one) => `step PROCESSING to PENDING (${one})`, "error", "timeout", "crashed", "released"),
  each((one) => `step PROCESSING to FAILED (${one})`, "error", "timeout", "crashed", "defect", "cancelled"),
  each((one) => `pruned ${one}`, "by age, COMPLETED", "by age, FAILED", "by number", "by its own retention"),
  each((one) => `crash during ${one}, which is done`, "write", "fsync", "open", "close"),
  each((one) => `crash during ${one}, which is not done`, "write", "fsync", "open", "close"),
  each((one) => `end by power while ${one}`, "starting", "running"),
  each((one) => `end by kill while ${one}`, "starting", "running"),
  each((one) => `dirty write ${one}`, "lost", "kept", "cut short", "left as zeros", "left without its beginning"),
  each((one) => `unsynced new name ${one}`, "lost", "kept"),
  each((one) => `unsynced rename ${one}`, "lost", "kept"),
  each((one) => `unsynced removal ${one}`, "lost", "kept"),
  each((one) => `failed write ${one}`, "EIO", "ENOSPC"),
  each((one) => `failed fsync ${one}`, "EIO", "ENOSPC", "EDQUOT"),
  each((one) => `trouble ${one}`, "failing writes", "failing syncs", "failing names", "failing reads"),
  each((one) => `trouble ${one}`, "failing closes", "anything fails", "short writes", "hanging"),
  each((one) => `trouble ${one}`, "read only", "full but for bytes", "directory removed", "file removed"),
  each(
    (one) => `log ${one}`,
    "A torn end was cut off",
    "Rescued",
    "The verdict waits for storage Storage is not writable"
  ),
  each((one) => `log Storage is ${one}`, "not writable", "writable again"),
  [
    "deleted dumps, and a start refused",
    "short write",
    "late fsync",
    "end by itself while stopping",
    "end by a start refused while starting"
  ]
].flat()

/** What of it did not happen. */
export const missing = (tally: Tally): ReadonlyArray<string> => wanted.filter((what) => tally.of(what) === 0)
