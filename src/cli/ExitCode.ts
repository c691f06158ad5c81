/** What scripts can tell from how a command ended. */
export const exitCodes = {
  ok: 0,
  /** A task FAILED, or anything that has no code of its own. */
  failed: 1,
  usage: 2,
  dataDirectory: 3,
  notFound: 4,
  /** Nothing answers at the URL, or it cannot now. */
  notReachable: 5,
  /** A task was not final in time. */
  notDone: 6
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
