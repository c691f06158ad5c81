/** What every contender is asked to do. The work is always the same: nothing, at a concurrency of 64. */
export interface System {
  /** One task, as durable when this returns as the contender's settings say; gives its id. */
  readonly submit: (content: string) => Promise<string>
  /** Many tasks by the contender's own way to take many. */
  readonly submitMany: (contents: ReadonlyArray<string>) => Promise<void>
  /** What a front answers for one task; undefined when there is none. */
  readonly get: (id: string) => Promise<object | undefined>
  /** Begins to work, also on what is there already. */
  readonly work: (on: WorkEvents) => Promise<void>
  readonly stopWorking: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface WorkEvents {
  /** An attempt begins. */
  readonly started: () => void
  /** So many tasks are completed, as durably as the settings say. */
  readonly completed: (count: number) => void
}

export const concurrency = 64

/** Where a contender finds its server or its files. */
export interface Place {
  readonly port: number
  readonly directory: string
}

export type Open = (place: Place) => Promise<System>
