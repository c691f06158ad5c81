/** A bug planted in a copy of the sources: each `find` stands there once, and becomes `put`. */
export interface Mutation {
  readonly name: string
  readonly edits: ReadonlyArray<{ readonly file: string; readonly find: string; readonly put: string }>
}

/** The source with the bug in it. */
export const planted = ({ file, find, put }: Mutation["edits"][number], source: string): string => {
  const parts = source.split(find)
  if (parts.length !== 2)
    throw new Error(`${file} has changed: what is to be replaced stands there ${parts.length - 1} times: ${find}`)
  return parts.join(put)
}

const file = (name: string) => `src/adapters/file/${name}.ts`
const memory = (name: string) => `src/adapters/memory/${name}.ts`

/** The five that every durable queue has had once, and what this one has had or could have. */
export const mutations: ReadonlyArray<Mutation> = [
  {
    name: "acknowledges before the sync",
    edits: [
      {
        file: file("GroupCommit"),
        find: '      if ((fsync === "always" && mustBeSafe)',
        put: '      for (const task of current.changes) overlay.reveal(task)\n      Deferred.doneUnsafe(current.synced, Exit.void)\n      if ((fsync === "always" && mustBeSafe)'
      }
    ]
  },
  {
    name: "skips the sync of the directory",
    edits: [
      {
        file: file("Disk"),
        find: '  withFile(fs, directory, { flag: "r" }, (handle) => handle.sync)',
        put: '  withFile(fs, directory, { flag: "r" }, () => Effect.void)'
      }
    ]
  },
  {
    name: "writes on to a file that failed a sync",
    edits: [
      {
        file: file("Segment"),
        find: "new SegmentFailure({ reason, trusted: false })",
        put: "new SegmentFailure({ reason, trusted: true })"
      }
    ]
  },
  {
    name: "loses the tail of the journal",
    edits: [
      {
        file: file("Recovery"),
        find: "    let lastReadable = -1\n",
        put: "    let lastReadable = -1\n    let playHeld = () => {}\n"
      },
      {
        file: file("Recovery"),
        find: ") playNext(record.value, offset)\n",
        put: ") {\n playHeld()\n const entry = record.value\n playHeld = () => playNext(entry, offset)\n }\n"
      }
    ]
  },
  {
    name: "reverts a final state",
    edits: [
      {
        file: file("Store"),
        find: 'if (task.status === "PROCESSING") orphans.set(task.id, task)',
        put: 'if (task.status === "PROCESSING" || task.status === "COMPLETED") orphans.set(task.id, task)'
      },
      { file: file("FileStateRepository"), find: "Lifecycle.heldBy(orphan, transition)", put: "transition" },
      {
        file: "src/domain/Lifecycle.ts",
        find: 'from("be rescued", ["PROCESSING"]',
        put: 'from("be rescued", ["PROCESSING", "COMPLETED"]'
      }
    ]
  },
  {
    name: "begins an attempt before its claim is written",
    edits: [
      {
        file: file("FileStateRepository"),
        find: "Effect.as(Deferred.await(batch.written), tasks)",
        put: "Effect.succeed(tasks)"
      }
    ]
  },
  {
    name: "does not sync the dump",
    edits: [{ file: file("Dump"), find: "      yield* file.sync\n", put: "" }]
  },
  {
    name: "deletes the segments before the dump is there",
    edits: [
      {
        file: file("Keeper"),
        find: "    dumpSize = yield* Dump.write(",
        put: "    previouslyDumped = snapshot.sequence\n    yield* deleteOldSegments\n    dumpSize = yield* Dump.write("
      }
    ]
  },
  {
    name: "deletes segments that the previous dump needs",
    edits: [{ file: file("Keeper"), find: "<= previouslyDumped + 1", put: "<= dumped + 1" }]
  },
  {
    name: "dumps a state older than it says",
    edits: [
      {
        file: file("Keeper"),
        find: "      const snapshot = yield* rotate\n",
        put: "      const tasks = overlay.table.snapshot()\n      const snapshot = Option.map(yield* rotate, (later) => ({ ...later, tasks }))\n"
      }
    ]
  },
  {
    name: "does not cut back what was written in part",
    edits: [
      {
        file: file("Segment"),
        find: "    file.truncate(end).pipe(",
        put: "    Effect.void.pipe("
      }
    ]
  },
  {
    name: "takes a short write for a whole one",
    edits: [
      {
        file: file("Segment"),
        find: "        yield* file.writeAll(bytes)\n",
        put: "        yield* file.write(bytes)\n"
      }
    ]
  },
  {
    name: "shows what is staged",
    edits: [
      {
        file: file("Overlay"),
        find: "    this.#pending.set(task.id, task)\n",
        put: "    this.#pending.set(task.id, task)\n    this.table.set(task)\n"
      }
    ]
  },
  {
    name: "keeps the overlay of a failed batch",
    edits: [{ file: file("GroupCommit"), find: "      overlay.drop()\n", put: "" }]
  },
  {
    name: "lets the writer take a batch half staged",
    edits: [{ file: file("GroupCommit"), find: "Effect.andThen(work.await, Effect.yieldNow)", put: "work.await" }]
  },
  {
    name: "does not sync the directory above",
    edits: [
      {
        file: file("Disk"),
        find: '    yield* Effect.catchReason(syncDirectory(fs, above), "PlatformError", "PermissionDenied", () => Effect.void)\n',
        put: ""
      }
    ]
  },
  {
    name: "writes each record against the state before it alone",
    edits: [
      {
        file: file("GroupCommit"),
        find: "Record.change(staged + 1, states, after)",
        put: "Record.change(staged + 1, [before], after)"
      }
    ]
  },
  {
    name: "never repairs",
    edits: [{ file: file("Keeper"), find: "  yield* forEver(repair)\n", put: "" }]
  },
  {
    name: "rotates without a sync of the old segment",
    edits: [{ file: file("Keeper"), find: "      if (!(yield* commit.flush)) return Option.none()\n", put: "" }]
  },
  {
    name: "takes a failed sync for a good one",
    edits: [
      {
        file: file("Segment"),
        find: '    Effect.catchTag("PlatformError", (error) => Effect.fail(untrusted(Disk.describe(error))))\n',
        put: '    Effect.catchTag("PlatformError", () => Effect.void)\n'
      }
    ]
  },
  {
    name: "leaves what a failed batch has written",
    edits: [
      {
        file: file("Segment"),
        find: "Effect.ignore(Effect.suspend(() => file.truncate(lastAppend)))",
        put: "Effect.suspend(() => (lastAppend < 0 ? Effect.ignore(file.sync) : Effect.void))"
      }
    ]
  },
  {
    name: "never syncs where syncs come late",
    edits: [
      {
        file: file("GroupCommit"),
        find: "    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(syncEvery), flushNow)))\n",
        put: "    yield* Effect.forkScoped(Effect.when(flushNow, Effect.succeed(false)))\n"
      }
    ]
  },
  {
    name: "goes on in the old segment though a new one may turn up",
    edits: [
      {
        file: file("Keeper"),
        find: "          mayTurnUp ? commit",
        put: "          mayTurnUp && failures < 0 ? commit"
      }
    ]
  },
  {
    name: "mends with a segment before the dump",
    edits: [
      {
        file: file("Keeper"),
        find: "    yield* options.prepareDirectory\n",
        put: "    yield* options.prepareDirectory\n    yield* moveTo(yield* Effect.mapError(createSegment, ({ error }) => error))\n"
      }
    ]
  },
  {
    name: "does not sync the header of a new segment",
    edits: [{ file: file("Segment"), find: "    yield* opened.sync\n", put: "" }]
  },
  {
    name: "leaves the entries out of a dump",
    edits: [
      { file: file("Dump"), find: "  if (entries.length === 0) return\n", put: "  if (entries.length >= 0) return\n" }
    ]
  },
  {
    name: "plays no entries",
    edits: [{ file: file("Recovery"), find: "      else entries.set(name, entry)\n", put: "" }]
  },
  {
    name: "keeps the staged entries of a failed batch",
    edits: [{ file: file("Overlay"), find: "    this.#pendingEntries.clear()\n", put: "" }]
  },
  {
    name: "forgets who has a unique key when a batch fails",
    edits: [{ file: file("Overlay"), find: "      if (task !== undefined) this.unique.note(task)\n", put: "" }]
  },
  {
    name: "stops without writing what is staged",
    edits: [
      {
        file: file("GroupCommit"),
        find: "      Effect.andThen(\n        writeNext,\n        Effect.sync(() => {\n          closed = true",
        put: "      Effect.andThen(\n        Effect.void,\n        Effect.sync(() => {\n          closed = true"
      }
    ]
  },
  {
    name: "does not look whether its file is still there",
    edits: [{ file: file("Segment"), find: "Option.contains(nlink, 0n)", put: "Option.contains(nlink, -1n)" }]
  },
  {
    name: "believes a verdict whose claim is lost",
    edits: [
      {
        file: "src/domain/Lifecycle.ts",
        find: 'task.status === "PROCESSING" && task.attempt === claimed.attempt && task.startedAt === claimed.startedAt',
        put: 'task.status === "PROCESSING" && task.id === claimed.id'
      }
    ]
  },
  {
    name: "runs an attempt beside the one before",
    edits: [
      {
        file: "src/engine/Dispatcher.ts",
        find: "attempts.run(task, Option.getOrUndefined(before))",
        put: "attempts.run(task)"
      }
    ]
  },
  {
    name: "deletes a task before that is synced",
    edits: [
      { file: file("GroupCommit"), find: "      for (const id of current.removals) overlay.remove(id)\n", put: "" },
      {
        file: file("GroupCommit"),
        find: '      if ((fsync === "always" && mustBeSafe)',
        put: '      for (const id of current.removals) overlay.remove(id)\n      if ((fsync === "always" && mustBeSafe)'
      }
    ]
  },
  {
    name: "forgets at a start what was deleted",
    edits: [{ file: file("Recovery"), find: "    for (const id of record.ids) tasks.delete(id)\n", put: "" }]
  },
  {
    name: "deletes what is not finished",
    edits: [
      {
        file: "src/adapters/memory/TaskTable.ts",
        find: "    this.#deadlines.note(task, this.#counts.PENDING)\n    if (isFinished(task)) this",
        put: "    this.#deadlines.note(task, this.#counts.PENDING)\n    this"
      }
    ]
  },
  {
    name: "counts twice what is about to be deleted",
    edits: [{ file: file("Overlay"), find: "    this.#removed++\n", put: "" }]
  },
  {
    name: "deletes before its time",
    edits: [
      { file: memory("FinishedTasks"), find: "  return finishOf(task) + (", put: "  return finishOf(task) - 1000 + (" }
    ]
  },
  {
    name: "deletes the newest of too many",
    edits: [
      {
        file: memory("FinishedTasks"),
        find: "const finishedFirst = by(finishOf)",
        put: "const finishedFirst = by((task) => -finishOf(task))"
      }
    ]
  },
  {
    name: "deletes by hand what is not finished",
    edits: [
      {
        file: file("FileStateRepository"),
        find: "          if (Result.isFailure(allowed)) return Effect.fail(allowed.failure)\n",
        put: ""
      }
    ]
  },
  {
    name: "loses what a failed batch was to claim",
    edits: [{ file: file("Overlay"), find: "      this.table.putBack(id)\n", put: "" }]
  },
  {
    name: "forgets at a start what holds tasks back",
    edits: [
      {
        file: file("Overlay"),
        find: "    this.#flow = FlowEntry.read(this.entries.get(FlowEntry.name))\n",
        put: "    this.#flow = FlowEntry.read(undefined)\n"
      }
    ]
  },
  {
    name: "lets begin what was claimed while a pause was on its way",
    edits: [
      {
        file: file("Overlay"),
        find: "    if (change.name === FlowEntry.name) this.table.flow = FlowEntry.read(change.entry)\n",
        put: ""
      },
      {
        file: file("Overlay"),
        find: "    if (change.name === FlowEntry.name) this.#flow = FlowEntry.read(change.entry)\n",
        put: "    if (change.name === FlowEntry.name) this.#flow = this.table.flow = FlowEntry.read(change.entry)\n"
      }
    ]
  },
  {
    name: "keeps a pause that was refused",
    edits: [
      {
        file: file("Overlay"),
        find: "    if (this.#pendingEntries.has(FlowEntry.name)) this.table.flow = this.#flow\n",
        put: ""
      }
    ]
  },
  {
    name: "lets one more run than the limit of all",
    edits: [{ file: memory("DueQueue"), find: "this.#running.size >= (", put: "this.#running.size > (" }]
  },
  {
    name: "lets one more run than the limit of a type",
    edits: [{ file: memory("Groups"), find: "group.running >= group.limit", put: "group.running > group.limit" }]
  },
  {
    name: "lets one more run than the limit of a key",
    edits: [{ file: memory("DueQueue"), find: "running < limitOfKey", put: "running <= limitOfKey" }]
  },
  {
    name: "wakes nobody when a limit is raised",
    edits: [{ file: file("Store"), find: "if (hasFreed || hasChangedFlow || ", put: "if (hasFreed || " }]
  },
  {
    name: "changes an entry whatever its revision",
    edits: [
      {
        file: memory("EntryTable"),
        find: "  if ((present?.revision ?? 0) !== expects) return",
        put: "  if ((present?.revision ?? 0) < 0) return"
      }
    ]
  },
  {
    name: "shows an entry before it is synced",
    edits: [
      {
        file: file("Overlay"),
        find: "    this.#pendingEntries.set(change.name, change)\n",
        put: "    this.#pendingEntries.set(change.name, change)\n    this.entries.set(change)\n"
      }
    ]
  },
  {
    name: "writes a task without the entry of its record",
    edits: [
      {
        file: file("GroupCommit"),
        find: "Record.insert(staged + 1, tasks, entries)",
        put: "Record.insert(staged + 1, tasks, tasks.length > 0 ? [] : entries)"
      }
    ]
  },
  {
    name: "keeps one task too few",
    edits: [{ file: file("FileStateRepository"), find: "overlay.finished - keep", put: "overlay.finished + 1 - keep" }]
  }
]
