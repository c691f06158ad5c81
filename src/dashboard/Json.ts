/** A piece of JSON text, and what it is. */
export interface Token {
  readonly kind: "key" | "string" | "number" | "word" | "mark"
  readonly text: string
}

const pieces = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/g

const isStructured = (text: string): boolean => {
  if (!/^\s*[{[]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Deeper levels are no longer told apart by indentation: it would grow with the square of the depth. */
const deepest = 40
const line = (depth: number): string => `\n${"  ".repeat(Math.min(depth, deepest))}`

/** Characters that are laid out at most. */
const most = 1_000_000

/**
 * JSON laid out to be read, piece by piece: nothing is parsed and written anew, so that numbers of any length and
 * doubled keys stay what they are. Undefined where the text is no object and no array, or has no
 * room to be laid out.
 */
export const layOut = (text: string): ReadonlyArray<Token> | undefined => {
  if (!isStructured(text)) return undefined
  const found = text.match(pieces) ?? []
  const tokens: Array<Token> = []
  let depth = 0
  let length = 0
  const put = (kind: Token["kind"], text: string) => {
    tokens.push({ kind, text })
    length += text.length
  }
  for (const [index, piece] of found.entries()) {
    if (length > most) return undefined
    const next = found[index + 1]
    const isEmpty = (piece === "{" && next === "}") || (piece === "[" && next === "]")
    if (piece === "{" || piece === "[") {
      depth++
      put("mark", isEmpty ? piece : piece + line(depth))
    } else if (piece === "}" || piece === "]") {
      depth--
      const before = found[index - 1]
      const closesNothing = before === "{" || before === "["
      put("mark", closesNothing ? piece : line(depth) + piece)
    } else if (piece === ",") put("mark", piece + line(depth))
    else if (piece === ":") put("mark", ": ")
    else if (piece.startsWith('"')) put(next === ":" ? "key" : "string", piece)
    else put(/^[tfn]/.test(piece) ? "word" : "number", piece)
  }
  return tokens
}
