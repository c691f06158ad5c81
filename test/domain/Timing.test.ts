import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import * as Timing from "../../src/domain/Timing.ts"

const minute = 60_000
const hour = 60 * minute
const at = (text: string): number => Date.parse(text)
const iso = (instant: number | undefined): string => (instant === undefined ? "never" : new Date(instant).toISOString())

const calendar = (cron: string, timeZone = "UTC"): Timing.Timing => ({ cron, timeZone, since: 0 })

/** The slots after `from` and up to `to`. */
const slots = (timing: Timing.Timing, from: number, to: number): ReadonlyArray<number> => {
  const found: Array<number> = []
  for (let slot = Timing.next(timing, from); slot !== undefined && slot <= to; slot = Timing.next(timing, slot)) {
    assert.isAbove(slot, found.at(-1) ?? from)
    found.push(slot)
  }
  return found
}

const between = (cron: string, timeZone: string, from: string, to: string) =>
  slots(calendar(cron, timeZone), at(from), at(to)).map((slot) => iso(slot).slice(5, 16))

describe("a cron expression", () => {
  it("is read in its time zone", () => {
    assert.strictEqual(iso(Timing.next(calendar("0 3 * * *"), at("2026-01-01T03:00:00Z"))), "2026-01-02T03:00:00.000Z")
    const inBerlin = calendar("0 3 * * *", "Europe/Berlin")
    assert.strictEqual(iso(Timing.next(inBerlin, at("2026-01-01T00:00:00Z"))), "2026-01-01T02:00:00.000Z")
    assert.strictEqual(iso(Timing.next(inBerlin, at("2026-07-01T00:00:00Z"))), "2026-07-01T01:00:00.000Z")
  })

  it("has seconds where it has six fields", () => {
    const everyTenth = calendar("*/10 * * * * *")
    assert.deepStrictEqual(slots(everyTenth, 0, 30_000), [10_000, 20_000, 30_000])
    assert.strictEqual(Timing.next(everyTenth, 9999), 10_000)
    assert.strictEqual(Timing.next(everyTenth, 10_001), 20_000)
  })

  it("comes an hour later where clocks go forward over its time, and not twice", () => {
    const spring = (cron: string) => between(cron, "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z")
    assert.deepStrictEqual(spring("30 2 * * *"), ["03-29T01:30", "03-30T00:30"])
    assert.deepStrictEqual(spring("30 2,3 * * *"), ["03-29T01:30", "03-30T00:30", "03-30T01:30"])
  })

  it("comes once where clocks go back over its time", () => {
    const autumn = (cron: string) => between(cron, "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")
    assert.deepStrictEqual(autumn("30 2 * * *"), ["10-25T00:30", "10-26T01:30"])
    assert.deepStrictEqual(autumn("30 2,3 * * *"), ["10-25T00:30", "10-25T02:30", "10-26T01:30", "10-26T02:30"])
  })

  it("of every hour comes in both hours where one comes twice, and in none that is left out", () => {
    const inBerlin = (from: string, to: string) => between("*/30 * * * *", "Europe/Berlin", from, to)
    assert.deepStrictEqual(inBerlin("2026-10-24T23:45:00Z", "2026-10-25T02:00:00Z"), [
      "10-25T00:00",
      "10-25T00:30",
      "10-25T01:00",
      "10-25T01:30",
      "10-25T02:00"
    ])
    assert.deepStrictEqual(inBerlin("2026-03-29T00:15:00Z", "2026-03-29T02:00:00Z"), [
      "03-29T00:30",
      "03-29T01:00",
      "03-29T01:30",
      "03-29T02:00"
    ])
  })

  const zones = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu"
  ]
  const days = [
    "2018-02-17",
    "2018-11-03",
    "2026-03-07",
    "2026-03-28",
    "2026-04-04",
    "2026-10-03",
    "2026-10-24",
    "2026-10-31"
  ]
  const minutes = ["*", "0", "15", "30", "59", "*/20", "5,35"]
  const hours = ["0", "1", "2", "3", "1-3", "*/2", "23"]

  const AnyCron = Schema.Struct({
    minute: Schema.Literals(minutes),
    hour: Schema.Literals(["*", ...hours]),
    zone: Schema.Literals(zones),
    day: Schema.Literals(days)
  })

  /** What clocks show in each minute of two days. */
  const clocks = (zone: string, day: string) => {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit"
    })
    return Array.from({ length: 48 * 60 }, (_, n) => {
      const instant = at(`${day}T00:00:00Z`) + (n + 1) * minute
      const wall = format.format(instant)
      return { instant, wall, hour: Number(wall.slice(-5, -3)), minute: Number(wall.slice(-2)) }
    })
  }

  /** Numbers that a field names. */
  const named = (field: string, most: number): ReadonlyArray<number> => {
    const [from = "", step = "1"] = field.split("/")
    const [low = 0, high = from === "*" ? most : low] = from === "*" ? [] : from.split("-").map(Number)
    return Array.from({ length: high - low + 1 }, (_, n) => low + n).filter((n) => (n - low) % Number(step) === 0)
  }

  it.prop(
    "has every minute that it names and no other, over the days when clocks are set",
    [AnyCron],
    ([{ day, hour: hours, minute: minutes, zone }]) => {
      const moments = clocks(zone, day)
      const [from, to] = [at(`${day}T00:00:00Z`), at(`${day}T00:00:00Z`) + 48 * hour]
      const found = new Set(slots(calendar(`${minutes} ${hours} * * *`, zone), from, to))
      const ofHour = named(hours, 23)
      const ofMinute = minutes.split(",").flatMap((field) => named(field, 59))
      const seen = new Set<string>()
      for (const { hour, instant, minute, wall } of moments) {
        const comes = ofHour.includes(hour) && ofMinute.includes(minute) && (hours === "*" || !seen.has(wall))
        seen.add(wall)
        if (comes) assert.isTrue(found.delete(instant), `${iso(instant)} is missing`)
      }
      // what stands in the hour left out comes later
      for (const slot of found) {
        const leftOut = moments.some(
          ({ instant, wall }, index) =>
            Math.abs(instant - slot) <= hour && index > 0 && !isNext(moments[index - 1]?.wall ?? "", wall)
        )
        assert.isTrue(leftOut, `${iso(slot)} is too much`)
      }
    },
    { arbitrary: { runs: 60 }, timeout: 60_000 }
  )

  /** Whether a clock goes on from one minute to the other. */
  const isNext = (a: string, b: string): boolean =>
    (Number(b.slice(-2)) - Number(a.slice(-2)) + 60) % 60 === 1 &&
    (Number(b.slice(-5, -3)) - Number(a.slice(-5, -3)) + 24) % 24 <= 1

  it.prop(
    "the last slot before an instant is the last one that comes when they are counted on",
    [AnyCron, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 48 * hour }))],
    ([{ day, hour: hours, minute: minutes, zone }, length]) => {
      const timing = calendar(`${minutes} ${hours} * * *`, zone)
      const first = Timing.next(timing, at(`${day}T00:00:00Z`)) ?? 0
      const end = first + 1 + length
      assert.strictEqual(
        iso(Timing.lastBefore(timing, first, end)),
        iso([first, ...slots(timing, first, end - 1)].at(-1))
      )
    },
    { arbitrary: { runs: 400 }, timeout: 60_000 }
  )

  it("finds a day that is years away, and ends with the calendar", () => {
    assert.strictEqual(iso(Timing.next(calendar("0 0 29 2 *"), at("2097-01-01T00:00:00Z"))), "2104-02-29T00:00:00.000Z")
    assert.isUndefined(Timing.next(calendar("0 0 1 1 *"), at("9999-06-01T00:00:00Z")))
  })

  it("finds the last slot of a year of seconds at once", () => {
    const first = at("2026-01-01T00:00:00Z")
    assert.strictEqual(
      iso(Timing.lastBefore(calendar("* * * * * *"), first, at("2027-01-01T00:00:00.500Z"))),
      "2027-01-01T00:00:00.000Z"
    )
  })
})

describe("an interval", () => {
  it("counts from where it began, not from what was late", () => {
    const timing = { every: "10 minutes", since: 7 }
    assert.strictEqual(Timing.next(timing, 7), 7 + 10 * minute)
    assert.strictEqual(Timing.next(timing, 7 + 10 * minute), 7 + 20 * minute)
    assert.strictEqual(Timing.next(timing, 7 + 25 * minute), 7 + 30 * minute)
    // the clock went back
    assert.strictEqual(Timing.next(timing, -5 * hour), 7 + 10 * minute)
  })

  it("finds its last slot of years at once", () => {
    const timing = { every: 1000, since: 0 }
    assert.strictEqual(Timing.lastBefore(timing, 1000, 1e12), 1e12 - 1000)
    assert.strictEqual(Timing.lastBefore(timing, 1000, 1001), 1000)
  })

  it.prop(
    "has slots one after the other, as far from each other as it says",
    [
      Schema.Finite.check(Schema.isBetween({ minimum: 1000, maximum: 1e10 })),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 })),
      Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4e12 }))
    ],
    ([every, since, after]) => {
      const timing = { every, since }
      const first = Timing.next(timing, after) ?? 0
      assert.isAbove(first, after)
      assert.isAbove(first, since)
      const second = Timing.next(timing, first) ?? 0
      assert.strictEqual(second - first, Math.round(every))
      assert.strictEqual(Timing.next(timing, second - 1), second)
    }
  )
})

describe("a wish", () => {
  const refuses = (wish: Timing.Wish, path: string, message: string) => {
    const { issue, path: where } = Option.getOrThrow(Timing.objection(wish))
    assert.deepStrictEqual([where, issue], [[path], message])
  }

  it("is for one of the two", () => {
    refuses({}, "cron", "Expected cron or every")
    refuses({ cron: "* * * * *", every: 1000 }, "every", "Expected cron or every, not both")
    refuses({ every: 1000, timeZone: "UTC" }, "time_zone", "Expected only with cron")
    assert.isTrue(Option.isNone(Timing.objection({ every: 1000 })))
    assert.isTrue(Option.isNone(Timing.objection({ cron: "0 0 31 1,2 *", timeZone: "Europe/Berlin" })))
  })

  it("is not for a day that no year has", () => {
    for (const cron of ["0 0 30 2 *", "0 0 31 2,4,6 *", "0 0 0 31 11 *"])
      refuses({ cron }, "cron", "There is no such day")
    // or any Monday
    assert.isTrue(Option.isNone(Timing.objection({ cron: "0 0 30 2 MON" })))
  })

  it("is the same as another when it has the same slots", () => {
    assert.isTrue(Timing.same({ every: "1 minute" }, { every: 60_000 }))
    assert.isTrue(Timing.same({ cron: "* * * * *" }, { cron: "* * * * *", timeZone: "UTC" }))
    assert.isFalse(Timing.same({ cron: "* * * * *" }, { cron: "* * * * *", timeZone: "Europe/Berlin" }))
    assert.isFalse(Timing.same({ every: 1000 }, { every: 1001 }))
    assert.isFalse(Timing.same({ every: 1000 }, { cron: "* * * * *" }))
  })
})
