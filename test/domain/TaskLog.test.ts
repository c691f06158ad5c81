import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { limits } from "../../src/domain/Task.ts"
import * as TaskLog from "../../src/domain/TaskLog.ts"

const anyLog = Schema.Array(Schema.String).check(Schema.isMaxLength(limits.logLines))

describe("TaskLog", () => {
  it.prop(
    "a line is one line, begins with its time and is cut to length, whatever the text",
    [Schema.String],
    ([text]) => {
      const line = TaskLog.line(0, `${text}\n${text.repeat(300)}`)
      assert.match(line, /^1970-01-01T00:00:00\.000Z /)
      assert.isAtMost(line.length, limits.logLineChars)
      assert.strictEqual(line.split(/[\n\v\f\r\u0085\u2028\u2029]/).length, 1)
    }
  )

  it.each(["\n", "\r\n", "\r", "\v", "\f", "\u0085", "\u2028", "\u2029", "\n\n\n"])(
    "no text can forge a second line with %j",
    (separator) => {
      const forged = TaskLog.line(0, `a${separator}1970-01-01T00:00:00.000Z attempt 1 completed`)
      assert.strictEqual(forged, "1970-01-01T00:00:00.000Z a ⏎ 1970-01-01T00:00:00.000Z attempt 1 completed")
    }
  )

  it("a text as long as allowed stays whole, one letter more is cut and says so", () => {
    const room = limits.logLineChars - TaskLog.line(0, "").length
    assert.isTrue(TaskLog.line(0, "x".repeat(room)).endsWith("xx"))
    assert.isTrue(TaskLog.line(0, "x".repeat(room + 1)).endsWith("x…"))
  })

  it.prop(
    "cutting never leaves half a character",
    [Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 40 }))],
    ([length]) => {
      const cut = TaskLog.cut("a😀b😀😀c".repeat(10), length)
      assert.isTrue(cut.isWellFormed())
      assert.isAtMost(cut.length, length)
      assert.isAtLeast(cut.length, length - 1)
    }
  )

  it.prop("keeps everything while there is room", [anyLog, Schema.String], ([logs, text]) => {
    const line = TaskLog.line(0, text)
    const log = TaskLog.append({ logs, logsDropped: 0 }, [line], 1)
    if (logs.length < limits.logLines) assert.deepStrictEqual(log, { logs: [...logs, line], logsDropped: 0 })
    else assert.deepStrictEqual(log.logs.at(-1), line)
  })

  it("when it is full the oldest go, some at once, and the first line says how many", () => {
    const logs = Array.from({ length: limits.logLines }, (_, n) => `line ${n}`)
    const full = TaskLog.append({ logs, logsDropped: 0 }, ["new"], 0)
    assert.deepStrictEqual(full.logs.slice(0, 2), ["1970-01-01T00:00:00.000Z 51 earlier lines were dropped", "line 51"])
    assert.strictEqual(full.logs.at(-1), "new")
    const again = TaskLog.append(
      full,
      Array.from({ length: 50 }, (_, n) => `more ${n}`),
      0
    )
    assert.deepStrictEqual(again.logs.slice(0, 2), [
      "1970-01-01T00:00:00.000Z 101 earlier lines were dropped",
      "line 101"
    ])
  })

  it("counts what was lost on the way", () => {
    const said = Array.from({ length: limits.logLines }, (_, n) => `line ${n}`)
    const log = TaskLog.append({ logs: ["submitted"], logsDropped: 0 }, said, 0, 7)
    assert.strictEqual(log.logsDropped + log.logs.length - 1, 1 + 7 + limits.logLines)
  })
})
