import { FailureReason, type Instant } from "./Task.ts"

/** What the log of a task says of an attempt that failed. */
export const retried = (attempt: number, reason: FailureReason, message: string, waitsMillis: number): string =>
  `attempt ${attempt} failed (${reason}): ${message}; next one in ${waitsMillis / 1000} s`

export const failedForGood = (attempt: number, reason: FailureReason, message: string): string =>
  `attempt ${attempt} failed for good (${reason}): ${message}`

/** What it says of an attempt whose process died, and that another one follows. */
export const orphaned = (attempt: number): string => `attempt ${attempt} ended with the process; runs again`

/** Why an attempt failed that another one follows, out of the line that says so. */
export const failureIn = (line: string): { readonly reason: FailureReason; readonly message: string } | undefined => {
  const [, text, told, message = "the process died during this attempt"] =
    /^\S+ attempt \d+ (?:(ended with the process; runs again)|failed \((\w+)\): (.*?)(?:; next one in \S+ s|…))$/.exec(
      line
    ) ?? []
  const reason = text === undefined ? reasons.find((reason) => reason === told) : "crashed"
  return reason === undefined ? undefined : { reason, message }
}

const reasons = FailureReason.literals

/** When a line was written. */
export const timeOf = (line: string): Instant => Date.parse(line.slice(0, line.indexOf(" ")))
