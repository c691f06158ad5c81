import type * as Wire from "./Wire.ts"

/** Limits as they are written. */
export interface Row {
  readonly name: string
  readonly concurrency: string
  readonly rate: string
  readonly per: string
}

export interface LimitsDraft {
  readonly concurrency: string
  readonly eachKey: string
  readonly types: ReadonlyArray<Row>
  readonly keys: ReadonlyArray<Row>
}

const written = (value: string | number | undefined): string => (value === undefined ? "" : `${value}`)

export const limitsDraftOf = ({ concurrency, each_key, keys = {}, types = {} }: Wire.Limits): LimitsDraft => ({
  concurrency: written(concurrency),
  eachKey: written(each_key),
  types: Object.entries(types).map(([name, limit]) => ({
    name,
    concurrency: written(limit.concurrency),
    rate: written(limit.rate?.limit),
    per: written(limit.rate?.per)
  })),
  keys: Object.entries(keys).map(([name, limit]) => ({
    name,
    concurrency: written(limit.concurrency),
    rate: "",
    per: ""
  }))
})

const spanOf = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text)

/** What is no number goes to the service all the same, which says so: null stands for it in JSON. */
export const limitsOf = ({ concurrency, eachKey, keys, types }: LimitsDraft): Wire.Limits => ({
  ...(concurrency === "" ? {} : { concurrency: Number(concurrency) }),
  ...(eachKey === "" ? {} : { each_key: Number(eachKey) }),
  types: Object.fromEntries(
    types.map(({ concurrency, name, per, rate }) => [
      name,
      {
        ...(concurrency === "" ? {} : { concurrency: Number(concurrency) }),
        ...(rate === "" && per === "" ? {} : { rate: { limit: Number(rate), per: spanOf(per) } })
      }
    ])
  ),
  keys: Object.fromEntries(keys.map(({ concurrency, name }) => [name, { concurrency: Number(concurrency) }]))
})
