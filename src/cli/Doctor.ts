import { Console, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import type { VenomTask } from "../domain/Task.ts"
import * as Count from "./Count.ts"
import * as DataDirectory from "./DataDirectory.ts"
import * as SafeText from "./SafeText.ts"
import * as Service from "./Service.ts"
import * as Trouble from "./Trouble.ts"

interface Findings {
  readonly tasks: ReadonlyArray<VenomTask>
  /** What is kept beside them; the first part of a name says what it is. */
  readonly entries: ReadonlyArray<{ readonly name: string }>
  readonly records: number
  readonly segments: number
  readonly damage: ReadonlyArray<{
    readonly file: string
    readonly position: number
    readonly bytes: number
    readonly what: string
    readonly torn: boolean
  }>
  readonly refusal: string | undefined
}

/** What reads and mends a data directory. */
export interface Physician<E, R> {
  readonly examine: (directory: string) => Effect.Effect<Findings, E, R>
  readonly repair: (directory: string) => Effect.Effect<Findings, E, R>
}

/** How many there are, and how many of each kind. */
const counted = <A>(one: string, many: string, all: ReadonlyArray<A>, kindOf: (one: A) => string): string => {
  const counts = Map.groupBy(all, kindOf)
  const kinds = Array.from(counts, ([kind, { length }]) => `${length} ${kind}`).sort()
  return `${Count.of(all.length, one, many)}${kinds.length === 0 ? "" : ` (${kinds.join(", ")})`}`
}

const report = (directory: string, { damage, entries, records, refusal, segments, tasks }: Findings): string => {
  const held = [
    counted("task", "tasks", tasks, ({ status }) => status),
    counted("entry", "entries", entries, ({ name }) => name.split("/", 1).join())
  ]
  return [
    `${directory}: ${held.join(", ")}, ${Count.of(records, "journal record")} after the dump, ${Count.of(segments, "segment")}`,
    ...damage.map(
      ({ bytes, file, position, torn, what }) =>
        `${torn ? "normal after a crash" : "DAMAGE"}: ${file}, byte ${position}: ${what}${bytes > 0 ? ` (${bytes} bytes)` : ""}`
    ),
    refusal === undefined ? "venom serve starts with all of these tasks" : `venom serve refuses to start: ${refusal}`
  ].join("\n")
}

const findings = (
  directory: string,
  { damage, entries, records, refusal, segments, tasks }: Findings,
  whole: boolean
) => ({
  directory,
  whole,
  tasks: tasks.length,
  entries: entries.length,
  records,
  segments,
  damage,
  refusal: refusal ?? null
})

/** `venom doctor`: exits 0 when the state is whole, 1 when it is not. */
export const command = <E, R>(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly physician: Physician<E, R>
}) =>
  Command.make(
    "doctor",
    {
      directory: DataDirectory.flag(options.environment),
      json: Service.jsonFlag,
      repair: Flag.Boolean("repair").pipe(
        Flag.withDescription("Keep all that can be read, set the rest aside as .bad files, and make it startable"),
        Flag.withDefault(false)
      )
    },
    Effect.fnUntraced(function* ({ directory, json, repair }) {
      const { physician } = options
      const found = yield* repair ? physician.repair(directory) : physician.examine(directory)
      const isWhole = found.refusal === undefined && found.damage.every(({ torn }) => torn)
      yield* Console.log(json ? SafeText.json(findings(directory, found, isWhole)) : report(directory, found))
      if (repair && !json) yield* Console.log("Repaired: venom serve starts with the tasks named above")
      else if (found.refusal !== undefined && !json) {
        yield* Console.log(`venom doctor --repair --data-dir ${directory} would keep the tasks named above`)
      }
      if (!isWhole && !repair) return yield* Trouble.ended("failed")
    })
  ).pipe(Command.withDescription("Examines a data directory, changing nothing, or repairs it"))
