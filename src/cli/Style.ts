import type { TaskStatus } from "../domain/Task.ts"

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

export type Look = keyof typeof codes

/** Puts a look on safe text, or leaves it plain. */
export type Style = (look: Look | undefined, text: string) => string

export const plain: Style = (_, text) => text

export const colored: Style = (look, text) =>
  look === undefined || text === "" ? text : `\u001b[${codes[look]}m${text}\u001b[0m`

const looks = { PENDING: "yellow", PROCESSING: "cyan", COMPLETED: "green", FAILED: "red" } as const

export const ofStatus = (status: TaskStatus): Look => looks[status]
