import { Clock, Config, Console, Context, Effect, Layer, Option, Stdio, Stream, Terminal } from "effect"
import { Flag, TerminalCapabilities } from "effect/cli"
import * as Digest from "effect/crypto/Digest"
import { FetchHttpClient } from "effect/http"
import { VenomClient } from "../client/VenomClient.ts"
import type { Instant } from "../domain/Task.ts"
import * as Trace from "../domain/Trace.ts"
import * as Traceparent from "../domain/Traceparent.ts"
import * as SafeText from "./SafeText.ts"
import * as Style from "./Style.ts"
import * as Table from "./Table.ts"
import * as Trouble from "./Trouble.ts"

export const usualUrl = "http://127.0.0.1:8000"

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Answer in JSON, for programs"),
  Flag.withDefault(false)
)

/** What every command has that asks a service. */
export const flags = {
  url: Flag.String("url").pipe(
    Flag.withMetavar("<url>"),
    Flag.withDescription(`Where the service is [VENOM_URL, default: ${usualUrl}]`),
    Flag.withFallbackConfig(Config.String("VENOM_URL")),
    Flag.withDefault(usualUrl)
  ),
  json: jsonFlag
}

/** What a command answers with. */
export interface Screen {
  /** Whether a person reads along. */
  readonly isTerminal: boolean
  readonly columns: number | undefined
  readonly rows: number
  readonly style: Style.Style
  readonly asJson: boolean
  readonly now: Instant
  /** Text that ends with a line; waits for a slow reader. */
  readonly write: (text: string) => Effect.Effect<void, Trouble.Trouble>
  /** One value, in JSON where that is asked for, or else as the lines that say it. */
  readonly tell: (value: unknown, lines: () => ReadonlyArray<string>) => Effect.Effect<void, Trouble.Trouble>
  /** Rows for a person or a program. */
  readonly table: <A>(
    columns: ReadonlyArray<Table.Column<A>>,
    rows: ReadonlyArray<A>,
    titled?: boolean
  ) => ReadonlyArray<string>
}

export const screen = Effect.fnUntraced(function* (
  asJson: boolean
): Effect.fn.Return<Screen, never, Stdio.Stdio | Terminal.Terminal> {
  const stdio = yield* Stdio.Stdio
  const terminal = yield* Terminal.Terminal
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  const isTerminal = yield* stdio.stdoutIsTerminal
  const width = yield* terminal.columns
  const columns = isTerminal && width > 0 ? width : undefined
  const style = canColor ? Style.colored : Style.plain
  const write = (text: string) => Stream.run(Stream.succeed(text), stdio.stdout({ endOnDone: false }))
  return {
    isTerminal,
    columns,
    rows: yield* terminal.rows,
    style,
    asJson,
    now: yield* Clock.currentTimeMillis,
    write,
    tell: (value, lines) => {
      const text = asJson ? [SafeText.json(value)] : lines()
      return text.length === 0 ? Effect.void : write(`${text.join("\n")}\n`)
    },
    table: (of, rows, titled = true) =>
      isTerminal ? Table.aligned(of, rows, { columns, style }, titled) : Table.separated(of, rows)
  }
})

const connect = (url: string) =>
  Effect.gen(function* () {
    const key = yield* Config.option(Config.Redacted("VENOM_API_KEY"))
    const layer = VenomClient.layer({
      url,
      ...Option.match(key, { onNone: () => ({}), onSome: (given) => ({ key: given }) })
    })
    return Context.get(yield* Layer.build(layer), VenomClient)
  }).pipe(Effect.scoped)

export type Client = VenomClient["Service"]

export interface Given {
  readonly url: string
  readonly json: boolean
}

/** Says what an end has to say, on stderr, and keeps its exit code. */
export const toldOn = <A, E extends Trouble.Trouble, R>(url: string, effect: Effect.Effect<A, E, R>) =>
  Effect.catch(effect, (trouble) => {
    const end = Trouble.of(url, trouble)
    return Effect.andThen(
      end.lines.length === 0 ? Effect.void : Console.error(end.lines.join("\n")),
      Effect.fail(Trouble.quiet(end))
    )
  })

/** Asks the service that was named. Whatever goes wrong ends with a few words and an exit code. */
export const use = <A, E extends Trouble.Trouble, R>(
  { json, url }: Given,
  run: (client: Client, screen: Screen) => Effect.Effect<A, E, R>
) =>
  toldOn(
    url,
    Effect.gen(function* () {
      if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) {
        return yield* Trouble.ended("usage", `${url} is no URL, such as ${usualUrl}`)
      }
      const client = yield* Effect.mapError(connect(url), ({ message }) => Trouble.ended("usage", message))
      // one that cannot be read is none
      const started = Traceparent.read(yield* Effect.orElseSucceed(Config.String("TRACEPARENT"), () => ""))
      const place = started === undefined ? undefined : Trace.spanOf(started)
      const asked = run(client, yield* screen(json))
      return yield* place === undefined ? asked : Effect.withParentSpan(asked, place)
    }).pipe(Effect.provide([FetchHttpClient.layer, Digest.layerWebCrypto]))
  )
