import { it } from "@effect/vitest"
import { Effect, Fiber, Schema, Sink, Stdio } from "effect"
import { TestClock } from "effect/testing"
import { assert, describe } from "vitest"
import * as Ago from "../../src/cli/Ago.ts"
import { Told } from "../../src/cli/Logs.ts"
import * as ProgressBar from "../../src/cli/ProgressBar.ts"
import * as SafeText from "../../src/cli/SafeText.ts"
import * as Style from "../../src/cli/Style.ts"
import * as Table from "../../src/cli/Table.ts"
import * as Trouble from "../../src/cli/Trouble.ts"

// what a terminal obeys: controls of both kinds
const order = /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/u

describe("SafeText", () => {
  it("shows what a terminal would obey", () => {
    assert.strictEqual(SafeText.line("a\u001b[31mb\u009b2J\r\n\tc\u202e"), "a\\e[31mb\\u009b2J\\r\\n\\tc\\u202e")
    assert.strictEqual(SafeText.block("a\n\tb\u0007"), "a\n\tb\\u0007")
  })

  it.prop("no text gets an order through", [Schema.String], ([text]) => {
    const noisy = `${text}\u001b]0;${text}\u009d\u202e`
    for (const safe of [SafeText.line(noisy), SafeText.block(noisy), SafeText.json(noisy)]) {
      assert.notMatch(safe, order)
    }
    assert.notInclude(SafeText.line(`${text}\n`), "\n")
  })

  it.prop("JSON stays the same value", [Schema.String], ([text]) => {
    const value = { text: `${text}\u009b\u202e\u2028`, list: [text] }
    assert.deepStrictEqual(JSON.parse(SafeText.json(value)), value)
  })

  it("knows how wide text is", () => {
    assert.strictEqual(SafeText.width("abc"), 3)
    assert.strictEqual(SafeText.width("日本"), 4)
    assert.strictEqual(SafeText.width("e\u0301"), 1)
    assert.strictEqual(SafeText.width("👨‍👩‍👧"), 2)
  })

  it.prop("never takes more columns than there are", [Schema.String, Schema.Int], ([text, any]) => {
    const columns = Math.abs(any % 40)
    assert.isAtMost(SafeText.width(SafeText.cut(SafeText.line(text), columns)), columns)
  })

  it("cuts between characters, and says so", () => {
    assert.strictEqual(SafeText.cut("hello", 5), "hello")
    assert.strictEqual(SafeText.cut("hello", 4), "hel…")
    assert.strictEqual(SafeText.cut("日本語", 4), "日…")
  })
})

describe("Ago", () => {
  it.each([
    [0, "now"],
    [999, "now"],
    [-1000, "1s ago"],
    [-61_000, "1m 1s ago"],
    [-3_600_000, "1h ago"],
    [90_061_000, "in 1d 1h"],
    [5000, "in 5s"]
  ])("%d ms are %s", (distance, told) => {
    assert.strictEqual(Ago.of(1_700_000_000_000 + distance, 1_700_000_000_000), told)
  })

  it("is a dash for no time", () => {
    assert.strictEqual(Ago.of(null, 0), "–")
    assert.strictEqual(Ago.iso(null), "")
  })
})

interface Row {
  readonly name: string
  readonly text: string
}
const columns: ReadonlyArray<Table.Column<Row>> = [
  { title: "NAME", cell: ({ name }) => ({ text: name, look: "green" }) },
  { title: "TEXT", cell: ({ text }) => ({ text }) }
]
const rows = [
  { name: "a", text: "short" },
  { name: "日本", text: `long ${"x".repeat(100)}` }
]

describe("Table", () => {
  it("aligns its columns and fits the line", () => {
    assert.deepStrictEqual(Table.aligned(columns, rows, { columns: 20, style: Style.plain }), [
      "NAME  TEXT",
      "a     short",
      "日本  long xxxxxxxx…"
    ])
  })

  it.prop("no line is wider than the terminal", [Schema.String, Schema.String, Schema.Int], ([name, text, any]) => {
    const width = 8 + Math.abs(any % 120)
    const lines = Table.aligned(columns, [{ name, text }, ...rows], { columns: width, style: Style.plain })
    for (const line of lines) assert.isAtMost(SafeText.width(line), width, line)
  })

  it("colours what is shown, not the spaces between", () => {
    const [, first] = Table.aligned(columns, rows, { columns: undefined, style: Style.colored })
    assert.strictEqual(first, "\u001b[32ma\u001b[0m     short")
  })

  it("for programs, is values between tabs, whole", () => {
    assert.deepStrictEqual(Table.separated(columns, [{ name: "a\tb", text: "c\nd" }]), ["a\\tb\tc\\nd"])
  })
})

describe("the bar", () => {
  it("tells how far it is and how long it takes yet", () => {
    assert.strictEqual(
      ProgressBar.text("Submitting", 500, 1000, 10_000),
      `Submitting  ${"█".repeat(12)}${"░".repeat(12)}  50 %  500 of 1,000  10s left`
    )
    assert.strictEqual(ProgressBar.text("Exporting", 0, 0, 0), "Exporting  0")
  })

  const painted = (isTerminal: boolean) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const write = () => Sink.forEach((line: string | Uint8Array) => Effect.sync(() => lines.push(`${line}`)))
      const work = ProgressBar.during(60, (tell) =>
        Effect.gen(function* () {
          tell({ what: "Checking bytes", done: 10, total: 100 })
          yield* Effect.sleep("900 millis")
          tell({ what: "Checking bytes", done: 50, total: 100 })
          yield* Effect.sleep("600 millis")
          return "done"
        })
      ).pipe(Effect.provide(Stdio.layerTest({ stderr: write, stderrIsTerminal: Effect.succeed(isTerminal) })))
      const fiber = yield* Effect.forkChild(work, { startImmediately: true })
      for (let n = 0; n < 15; n++) yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "done")
      return lines
    })

  it.effect("is painted while work goes on that takes longer than a second, and is gone then", () =>
    Effect.gen(function* () {
      const lines = yield* painted(true)
      assert.isAbove(lines.length, 2)
      const anew = "\r\u001b[K"
      const bar = `Checking bytes  ${"█".repeat(12)}${"░".repeat(12)}  50 %  50 of 100`
      assert.isTrue(lines[0]?.startsWith(anew + bar), lines[0])
      assert.strictEqual(lines.at(-1), anew)
    })
  )

  it.effect("is for a terminal alone", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* painted(false), [])
    })
  )
})

describe("a log that is followed", () => {
  it("tells each line once, whether it was there or came", () => {
    const told = new Told()
    assert.deepStrictEqual(told.there(["1 a", "2 b"]), ["1 a", "2 b"])
    assert.deepStrictEqual(told.comes("2 b"), [])
    assert.deepStrictEqual(told.comes("3 c"), ["3 c"])
    assert.deepStrictEqual(told.there(["2 b", "3 c", "4 d"]), ["4 d"])
  })
})

const url = "http://127.0.0.1:8000"

describe("trouble", () => {
  it.each([
    [400, 2],
    [404, 4],
    [409, 1],
    [413, 2],
    [422, 2],
    [500, 1],
    [503, 5]
  ])("a refusal with %d ends with %d", (status, exitCode) => {
    const end = Trouble.of(url, { _tag: "Refusal", status, title: "No", detail: "not\u001b now" })
    assert.strictEqual(end.exitCode, exitCode)
    assert.strictEqual(end.lines[0], "not\\e now")
  })

  it("with the input names every field", () => {
    const errors = [{ path: "tags[0]", message: "Expected less" }]
    const end = Trouble.of(url, { _tag: "InvalidRequest", status: 400, title: "The request is not valid", errors })
    assert.deepStrictEqual(end.lines, ["The request is not valid", "  tags[0]: Expected less"])
  })
})
