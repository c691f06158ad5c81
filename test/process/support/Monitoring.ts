import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Schema } from "effect"

export const folder = fileURLToPath(new URL("../../../docs/monitoring", import.meta.url))
export const text = (name: string): string => readFileSync(`${folder}/${name}`, "utf8")

const Query = Schema.Struct({ query: Schema.String })
const Variable = Schema.Struct({ name: Schema.String, query: Schema.Union([Schema.String, Query]) })
const Target = Schema.Struct({ expr: Schema.String })
const Panel = Schema.Struct({
  id: Schema.Int,
  title: Schema.String,
  gridPos: Schema.Struct({ x: Schema.Int, y: Schema.Int, w: Schema.Int, h: Schema.Int }),
  targets: Schema.optionalKey(Schema.Array(Target))
})
const Dashboard = Schema.Struct({
  uid: Schema.String,
  templating: Schema.Struct({ list: Schema.Array(Variable) }),
  annotations: Schema.Struct({ list: Schema.Array(Target) }),
  panels: Schema.Array(Panel)
})

export const dashboard = Schema.decodeUnknownSync(Schema.fromJsonString(Dashboard))(text("grafana-dashboard.json"))

/** As Grafana asks it of Prometheus. */
const filled = (expression: string): string =>
  expression
    .replaceAll(/\$__(rate_)?interval/g, "1m")
    .replaceAll("$job", "venom")
    .replaceAll(/\$(instance|type)\b/g, ".*")

/** Every expression of the dashboard. */
export const expressions = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets),
  ...dashboard.annotations.list
].map(({ expr }) => filled(expr))

/** What its variables are made of: `label_values(series, label)`. */
export const variables = dashboard.templating.list.flatMap(({ query }) => {
  const [, series] = /^label_values\((.*), \w+\)$/.exec(typeof query === "string" ? query : query.query) ?? []
  return series === undefined ? [] : [filled(series)]
})

/** Names of series, ours and those of every program on Node. */
export const namesIn = (written: string): ReadonlySet<string> =>
  new Set(written.replaceAll(/#.*|"[^"]*"/g, "").match(/\b(venom|process|nodejs)_\w+/g) ?? [])

/** Names of series that a service shows. */
export const namesOf = (metrics: string): ReadonlySet<string> =>
  new Set(metrics.split("\n").flatMap((line) => /^([a-z0-9_]+)[{ ]/.exec(line)?.[1] ?? []))
