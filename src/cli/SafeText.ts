/** What a terminal takes as an order, or as a change of direction, and not as text; what joins emoji is text. */
const unsafe = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u001b": "\\e" }

/** As JSON writes it. */
const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`
  ).join("")

const shown = (character: string): string => named[character] ?? escaped(character)

/** Text from somewhere else, as one line that a terminal only shows. */
export const line = (text: string): string => text.replaceAll(unsafe, shown)

/** The same, with its lines and tabs. */
export const block = (text: string): string =>
  text.replaceAll(unsafe, (character) => (character === "\n" || character === "\t" ? character : shown(character)))

/** JSON that says the same as `JSON.stringify` and is safe to show. */
export const json = (value: unknown): string => JSON.stringify(value).replaceAll(unsafe, escaped)

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const wide =
  /^(?:\p{Emoji_Presentation}|.\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}])/u
const plain = /^[\u0020-\u007e]*$/

const widthOf = (grapheme: string): number => (/^\p{Mark}/u.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1)

/** Columns that a line of safe text takes in a terminal. */
export const width = (text: string): number => {
  if (plain.test(text)) return text.length
  let columns = 0
  for (const { segment } of segmenter.segment(text)) columns += widthOf(segment)
  return columns
}

/** A line of safe text in at most so many columns; an ellipsis stands for what is left out. */
export const cut = (text: string, columns: number): string => {
  // only as much is looked at as can be shown
  if (text.length <= columns * 16 && width(text) <= columns) return text
  let kept = ""
  let room = columns - 1
  for (const { segment } of segmenter.segment(text.slice(0, columns * 16))) {
    room -= widthOf(segment)
    if (room < 0) break
    kept += segment
  }
  return columns < 1 ? "" : `${kept}…`
}

/** Filled up with spaces to so many columns. */
export const pad = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - width(text)))
