import { useEffect, useRef, useState } from "preact/hooks"
import * as Format from "./Format.ts"
import * as Scale from "./Scale.ts"

/** One row of figures: a value for each minute, null where there is none. */
export interface Series {
  readonly name: string
  readonly tone: string
  readonly values: ReadonlyArray<number | null>
}

interface Given {
  readonly title: string
  readonly unit: string
  /** When each minute begins. */
  readonly at: ReadonlyArray<number>
  readonly series: ReadonlyArray<Series>
  /** Bars upon each other, or lines. */
  readonly kind: "bars" | "lines"
  readonly write: (value: number) => string
  readonly measure: Scale.Measure
}

const height = 190
const left = 52
const right = 8
const top = 10
const bottom = 24

const high = height - top - bottom

const sum = (values: ReadonlyArray<number | null>): number => values.reduce<number>((all, one) => all + (one ?? 0), 0)

/** Those that stand alone: no line leads to them. */
const alone = (values: Series["values"]): ReadonlyArray<readonly [index: number, value: number]> =>
  values.flatMap((value, index) =>
    value !== null && (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null
      ? [[index, value]]
      : []
  )

/** A line that is broken where there is no value. */
const path = (
  values: ReadonlyArray<number | null>,
  x: (index: number) => number,
  y: (value: number) => number
): string => {
  let isDrawn = false
  return values
    .map((value, index) => {
      if (value === null) {
        isDrawn = false
        return ""
      }
      const step = `${isDrawn ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
      isDrawn = true
      return step
    })
    .join("")
}

const summary = ({ series, write }: Given): string =>
  series
    .map(({ name, values }) => {
      const known = values.filter((value) => value !== null)
      const last = known.at(-1)
      return last === undefined
        ? `${name}: nothing`
        : `${name}: ${write(last)} in the last minute, at most ${write(Math.max(...known))}`
    })
    .join("; ")

/** Figures of the last hour, by minute: drawn, and as a table for those who want the numbers. */
export const Chart = (given: Given) => {
  const { at, kind, measure, series, title, unit, write } = given
  const figure = useRef<HTMLElement>(null)
  const [width, setWidth] = useState(600)
  // drawn as wide as there is room, so that what is written is as large as everything else
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.max(240, Math.round(entry.contentRect.width)))
    })
    if (figure.current !== null) observer.observe(figure.current)
    return () => observer.disconnect()
  }, [])
  const sums = at.map((_, index) => sum(series.map(({ values }) => values[index] ?? null)))
  const each = series.flatMap(({ values }) => values.map((value) => value ?? 0))
  const ticks = Scale.ticks(Math.max(0, ...(kind === "bars" ? sums : each)), measure)
  const most = ticks.at(-1) ?? 1
  const step = (width - left - right) / Math.max(1, at.length)
  const x = (index: number) => left + (index + 0.5) * step
  const y = (value: number) => top + high - (value / most) * high
  const written = (value: number | null = null) => (value === null ? "–" : write(value))
  const below = (index: number, row: number) => sum(series.slice(0, row).map(({ values }) => values[index] ?? null))
  return (
    <figure class="panel chart" ref={figure}>
      <figcaption>
        <h2>{title}</h2>
        <span class="note">{unit}</span>
        <span class="legend">
          {series.map(({ name, tone }) => (
            <span key={name} class={`key tone-${tone}`}>
              {name}
            </span>
          ))}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}, ${unit}. ${summary(given)}`}>
        {ticks.map((tick) => (
          <g key={tick} class="axis">
            <line x1={left} x2={width - right} y1={y(tick)} y2={y(tick)} />
            <text x={left - 6} y={y(tick) + 4} text-anchor="end">
              {write(tick)}
            </text>
          </g>
        ))}
        {at.map((time, index) =>
          Scale.isLabelled(time, width < 500) ? (
            <text key={time} class="axis" x={x(index)} y={height - 6} text-anchor="middle">
              {Format.clock(time).slice(0, 5)}
            </text>
          ) : null
        )}
        {series.map(({ name, tone, values }, row) =>
          kind === "lines" ? (
            <g key={name} class={`line tone-${tone}`}>
              <path d={path(values, x, y)} />
              {alone(values).map(([index, value]) => (
                <circle key={index} cx={x(index)} cy={y(value)} r={2.5} />
              ))}
            </g>
          ) : (
            <g key={name} class={`bars tone-${tone}`}>
              {values.map((value, index) =>
                value === null || value === 0 ? null : (
                  <rect
                    key={at[index]}
                    x={x(index) - step * 0.4}
                    width={step * 0.8}
                    y={y(below(index, row) + value)}
                    height={(value / most) * high}
                  >
                    <title>{`${Format.clock(at[index] ?? 0).slice(0, 5)} ${name}: ${write(value)}`}</title>
                  </rect>
                )
              )}
            </g>
          )
        )}
      </svg>
      <details>
        <summary>As a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">minute</th>
                {series.map(({ name }) => (
                  <th scope="col" class="number" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {at.map((time, index) => (
                <tr key={time}>
                  <th scope="row">{Format.clock(time).slice(0, 5)}</th>
                  {series.map(({ name, values }) => (
                    <td class="number" key={name}>
                      {written(values[index])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}
