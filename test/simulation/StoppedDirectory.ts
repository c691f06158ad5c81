import type { VenomTask } from "../../src/domain/Task.ts"
import { toWire } from "../../src/domain/TaskJson.ts"

/**
 * What must be in the directory after an orderly stop on a good disk, read without Venom's own reader: the
 * dump is one JSON text that holds every task, and nothing is left half done.
 */
export const checkStopped = (
  files: ReadonlyMap<string, Uint8Array>,
  tasks: ReadonlyArray<VenomTask>
): string | undefined => {
  const names = Array.from(files.keys())
  const dump = files.get("state_dump.json")
  if (dump === undefined) return `after the stop there is no dump: ${names.join(", ")}`
  const found: unknown = JSON.parse(new TextDecoder().decode(dump))
  const expected = tasks.map(toWire).sort((a, b) => (a.id < b.id ? -1 : 1))
  if (typeof found !== "object" || found === null || !("tasks" in found) || !Array.isArray(found.tasks))
    return "the dump is no dump"
  const held = found.tasks.toSorted((a: { readonly id: string }, b: { readonly id: string }) => (a.id < b.id ? -1 : 1))
  if (JSON.stringify(held) !== JSON.stringify(expected)) return "after the stop the dump is not what memory was"
  const processing = tasks.filter(({ status }) => status === "PROCESSING")
  if (processing.length > 0) return `after the stop ${processing.length} tasks are PROCESSING`
  // the previous dump may keep a second name: a rename onto another name of the same file does nothing
  const left = names.filter((name) => name.endsWith(".tmp") && name !== "state_dump.prev.json.tmp")
  if (left.length > 0) return `after the stop there is ${left.join(", ")}`
  const segments = Array.from(files).filter(
    ([name, bytes]) => /^journal-.*\.jsonl$/.test(name) && bytes.indexOf(0x0a) < bytes.length - 1
  )
  if (segments.length > 3) return `after the stop there are ${segments.length} segments`
  return undefined
}
