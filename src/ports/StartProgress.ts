import { Context } from "effect"

/** What a start is at, and how far it has come. */
export interface Step {
  /** Such as `recovering`. */
  readonly doing: string
  readonly done: number
  readonly total: number
  /** What is counted. */
  readonly unit: string
}

/** Told by whoever opens the state; read by whoever is asked, or watches, meanwhile. */
export interface StartProgress {
  readonly tell: (step: Step) => void
  readonly step: () => Step | undefined
}

/** Where none is provided, nobody watches. */
export const StartProgress: Context.Reference<StartProgress> = Context.Reference<StartProgress>(
  "venom/ports/StartProgress",
  { defaultValue: () => ({ tell: () => {}, step: () => undefined }) }
)

export const make = (): StartProgress => {
  let step: Step | undefined
  return {
    tell: (now) => {
      step = now
    },
    step: () => step
  }
}

const number = new Intl.NumberFormat("en")

/** `recovering 430,000 of 1,000,000 records` */
export const text = ({ doing, done, total, unit }: Step): string =>
  `${doing} ${number.format(done)} of ${number.format(total)} ${unit}`
