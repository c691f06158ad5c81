import { Duration, Schema } from "effect"
import * as Span from "./Span.ts"

/** How long a task waits after a failed attempt. */
export interface Backoff {
  readonly kind: "exponential" | "linear" | "fixed"
  readonly base: Duration.Duration
  readonly cap: Duration.Duration
  /** 0…1: the share of the delay that chance may add or take; beyond the cap it takes. */
  readonly jitter: number
}

/** 1 s, 2 s, 4 s … 10 min, each ± 20 %, none longer than 10 min. */
export const standard: Backoff = {
  kind: "exponential",
  base: Duration.seconds(1),
  cap: Duration.minutes(10),
  jitter: 0.2
}

/** What a request may say of it; the rest is as usual. */
export const BackoffRequest = Schema.Struct({
  kind: Schema.optionalKey(Schema.Literals(["exponential", "linear", "fixed"])),
  base: Schema.optionalKey(Span.between("1 millis")),
  cap: Schema.optionalKey(Span.between("1 millis")),
  jitter: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })).annotate({
      description: "The share of the delay that chance may add or take; no delay is longer than the cap"
    })
  )
}).annotate({ identifier: "BackoffRequest", description: "How long to wait after a failed attempt" })
export type BackoffRequest = typeof BackoffRequest.Type

/** A task's own backoff; what it does not say is as in `usual`. */
export const requested = (request: BackoffRequest | undefined, usual: Backoff): Backoff =>
  request === undefined
    ? usual
    : {
        kind: request.kind ?? usual.kind,
        base: request.base === undefined ? usual.base : Duration.millis(Span.millis(request.base)),
        cap: request.cap === undefined ? usual.cap : Duration.millis(Span.millis(request.cap)),
        jitter: request.jitter ?? usual.jitter
      }

/** Milliseconds to wait after attempt number `attempt` (1-based); `chance` is uniform in [0, 1). */
export const delay = (backoff: Backoff, attempt: number, chance: number): number => {
  const base = Duration.toMillis(backoff.base)
  const grown =
    backoff.kind === "exponential"
      ? base * 2 ** Math.min(attempt - 1, 52)
      : backoff.kind === "linear"
        ? base * attempt
        : base
  const cap = Duration.toMillis(backoff.cap)
  const wished = Math.min(grown, cap) * (1 + backoff.jitter * (2 * chance - 1))
  // folded back, not cut: tasks that have come to the cap still do not all wait equally long
  return Math.round(wished > cap ? 2 * cap - wished : wished)
}
