const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000]
] as const

/** A span of time in its two largest units: `2.4 s`, `3 min 20 s`, `1 d 4 h`. */
export const span = (millis: number): string => {
  const given = Math.max(0, millis)
  if (given < 1000) return `${Math.round(given)} ms`
  if (given < 10_000) return `${(given / 1000).toFixed(1)} s`
  const rounded = Math.round(given / 1000) * 1000
  const first = units.findIndex(([, size]) => rounded >= size)
  const [unit, size] = units[first] ?? ["s", 1000]
  const [smaller, smallerSize] = units[first + 1] ?? ["s", 1000]
  const whole = Math.floor(rounded / size)
  const rest = Math.floor((rounded % size) / smallerSize)
  return rest === 0 || unit === smaller ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${smaller}`
}

/** A span of time in one unit, for what changes while it is read. */
export const roughly = (millis: number): string => {
  const given = Math.max(0, millis)
  const [unit, size] = units.find(([, size]) => given >= size) ?? ["s", 1000]
  return `${Math.floor(given / size)} ${unit}`
}

/** How far away: `12 s ago`, `in 3 min`. */
export const distance = (at: number, now: number): string => {
  const away = now - at
  if (away >= 0) return away < 1000 ? "now" : `${roughly(away)} ago`
  return `in ${roughly(-away + 999)}`
}

const numbers = new Intl.NumberFormat("en")
export const count = (value: number): string => numbers.format(value)

export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

/** Per second, in three digits at most. */
export const rate = (perSecond: number): string =>
  perSecond === 0
    ? "0"
    : perSecond >= 100
      ? count(Math.round(perSecond))
      : perSecond >= 10
        ? perSecond.toFixed(1)
        : perSecond.toFixed(2)

export const bytes = (value: number): string => {
  const sizes = ["B", "KiB", "MiB", "GiB", "TiB"]
  let size = value
  let index = 0
  while (size >= 1024 && index < sizes.length - 1) {
    size /= 1024
    index++
  }
  return `${index === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${sizes[index] ?? ""}`
}

const twoDigits = (value: number) => `${value}`.padStart(2, "0")

/** The time of day here: `12:03:11`. */
export const clock = (at: number): string => {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":")
}

/** The whole of a time, here and as the service writes it. */
export const exact = (iso: string): string => {
  const date = new Date(iso)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-")
  return `${day} ${clock(date.getTime())} here, ${iso}`
}

/** A text in which what would have it read in another order is seen, not done. */
export const plain = (text: string): string =>
  text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (control) => `⟨U+${control.charCodeAt(0).toString(16).toUpperCase()}⟩`)

/** The beginning of a text, on one line. */
export const excerpt = (text: string, length = 200): string => {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text
  return plain(cut).replace(/\s+/g, " ").trim()
}

export const shortId = (id: string): string => `…${id.slice(-6)}`
