import { ByteSize, Duration, Effect, Option, Redacted, Result, Schema, SchemaGetter, SchemaIssue } from "effect"

/** A value as it is written on a command line or in an environment; what `read` fails with is told to the reader. */
const written = <T>(to: Schema.Codec<T>, read: (text: string) => Result.Result<T, string>) =>
  Schema.String.pipe(
    Schema.decodeTo(to, {
      decode: SchemaGetter.transformEffect((text) =>
        Effect.fromResult(Result.mapError(read(text.trim()), (message) => new SchemaIssue.InvalidValue({ message })))
      ),
      encode: SchemaGetter.forbidden(() => "Settings are only read")
    })
  )

/** An amount between two bounds. */
const amount = <T>(options: {
  readonly to: Schema.Codec<T>
  readonly read: (text: string) => Option.Option<T>
  readonly measure: (value: T) => number
  readonly least: number
  readonly most: number
  readonly expected: string
  /** A word that is taken beside the amounts, and what it means. */
  readonly endless?: readonly [word: string, value: T]
}) =>
  written(options.to, (text) => {
    const [word, endless] = options.endless ?? []
    if (endless !== undefined && text === word) return Result.succeed(endless)
    const amount = Option.filter(options.read(text), (value) => {
      const measured = options.measure(value)
      return measured >= options.least && measured <= options.most
    })
    const expected = `expected ${options.expected}${word === undefined ? "" : `, or ${word}`}`
    return Result.fromOption(amount, () => expected)
  })

const digits = (text: string) => (/^\d{1,15}$/.test(text) ? Option.some(Number(text)) : Option.none())

/** `endless` is a word for no bound at all. */
export const wholeNumber = (least: number, most: number, endless?: string) =>
  amount({
    to: Schema.Number,
    read: digits,
    measure: (value) => value,
    least,
    most,
    expected: `a whole number from ${least} to ${most}`,
    ...(endless === undefined ? {} : { endless: [endless, Number.POSITIVE_INFINITY] as const })
  })

const inBytes = (size: ByteSize.Input) =>
  Option.getOrElse(Option.flatMap(ByteSize.fromInput(size), ByteSize.toNumber), () => Number.NaN)

/** `2 MiB`, `500 kB`, or a plain number of bytes; decodes to bytes. */
export const size = (least: ByteSize.Input, most: ByteSize.Input) =>
  amount({
    to: Schema.Int,
    read: (text) => Option.orElse(digits(text), () => Option.flatMap(ByteSize.fromString(text), ByteSize.toNumber)),
    measure: (bytes) => bytes,
    least: inBytes(least),
    most: inBytes(most),
    expected: `a size from ${least} to ${most}, written like that or as a number of bytes`
  })

const longest = Duration.days(3650)

/** `2 seconds`, `10 millis`. `endless` is a word for no end at all. */
export const duration = (least: Duration.Input, endless?: string) =>
  amount({
    to: Schema.Duration,
    read: Schema.decodeUnknownOption(Schema.DurationFromString),
    measure: Duration.toMillis,
    least: Duration.toMillis(least),
    most: Duration.toMillis(longest),
    expected: `a duration such as "2 seconds" or "10 millis", from ${least} to ${Duration.format(longest)}`,
    ...(endless === undefined ? {} : { endless: [endless, Duration.infinity] as const })
  })

/** One of several words. */
export const choice = <const Choices extends ReadonlyArray<string>>(choices: Choices) =>
  written(Schema.Literals(choices), (text): Result.Result<Choices[number], string> => {
    const chosen = choices.find((choice) => choice === text)
    if (chosen !== undefined) return Result.succeed(chosen)
    const expected = `expected ${choices.join(" or ")}`
    return Result.fail(expected)
  })

export const onOff = written(Schema.Boolean, (text) =>
  text === "true" || text === "false" ? Result.succeed(text === "true") : Result.fail("expected true or false")
)

/** A host name, an IPv4 or an IPv6 address; no port, no brackets. */
const isHost = (text: string) =>
  /^[\dA-Fa-f.]*:[\dA-Fa-f.]*:[\dA-Fa-f:.]*(%\w+)?$/.test(text) || /^[\w]([\w-]*\w)?(\.[\w]([\w-]*\w)?)*\.?$/.test(text)

export const host = written(Schema.String, (text) =>
  isHost(text) ? Result.succeed(text) : Result.fail("expected a host name or an IP address, without a port")
)

/** Names separated by commas. */
export const hosts = written(Schema.Array(Schema.String), (text) => {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "")
  const wrong = names.find((name) => !isHost(name))
  return wrong === undefined
    ? Result.succeed(names)
    : Result.fail(`expected host names separated by commas, without ports: ${JSON.stringify(wrong)} is none`)
})

/** Where something is sent to; what it takes to be let in there stands elsewhere. */
export const endpoint = written(Schema.String, (text) => {
  const { hash, password, protocol, search, username } = URL.parse(text) ?? {}
  return (protocol === "http:" || protocol === "https:") && `${username}${password}${search}${hash}` === ""
    ? Result.succeed(text)
    : Result.fail("expected a URL such as http://localhost:4318, without a user, a query or a fragment")
})

/** As OpenTelemetry writes lists: percent-encoded; `allowed` are the characters of a value. */
const pairs = (allowed: RegExp) =>
  written(Schema.Record(Schema.String, Schema.String), (text) => {
    const read = text
      .split(",")
      .map((pair) => pair.trim())
      .filter((pair) => pair !== "")
      .map((pair) => /^([\w!#$%&'*+.^`|~/-]+)\s*=\s*(.*)$/.exec(pair)?.slice(1))
    const all = Result.try(() => read.map((pair = []) => pair.map((part) => decodeURIComponent(part))))
    const expected = "expected name=value, more of them after commas, with other characters percent-encoded"
    return Result.isFailure(all) ||
      all.success.some(([name = "", value]) => name === "" || value === undefined || !allowed.test(value))
      ? Result.fail(expected)
      : Result.succeed(Object.fromEntries(all.success))
  })

export const headerPairs = pairs(/^[\x20-\x7e]*$/)
export const attributePairs = pairs(/^\P{C}*$/u)

/** Sent in a header, so only what may stand there. */
export const apiKey = written(Schema.Redacted(Schema.String), (text) =>
  /^[\x21-\x7e]{32,1000}$/.test(text)
    ? Result.succeed(Redacted.make(text))
    : Result.fail("expected 32 characters or more, without spaces; 'openssl rand -hex 32' makes one")
)

export const label = Schema.String.check(
  Schema.isPattern(/^[^\p{C}]{0,40}$/u, { message: "expected up to 40 characters" })
)

export const filled = Schema.String.check(Schema.isNonEmpty({ message: "expected some text" }))
