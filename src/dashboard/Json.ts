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

const line = (depth: number): string => `\n${"  ".repeat(depth)}`

/**
 * JSON laid out to be read, piece by piece: nothing is parsed and written anew, so that numbers of any length and
 * doubled keys stay what they are. Undefined where the text is no object and no array.
 */
export const layOut = (text: string): ReadonlyArray<Token> | undefined => {
  if (!isStructured(text)) return undefined
  const found = text.match(pieces) ?? []
  const tokens: Array<Token> = []
  let depth = 0
  for (const [index, piece] of found.entries()) {
    const next = found[index + 1]
    const isEmpty = (piece === "{" && next === "}") || (piece === "[" && next === "]")
    if (piece === "{" || piece === "[") {
      depth++
      tokens.push({ kind: "mark", text: isEmpty ? piece : piece + line(depth) })
    } else if (piece === "}" || piece === "]") {
      depth--
      const before = found[index - 1]
      const closesNothing = before === "{" || before === "["
      tokens.push({ kind: "mark", text: closesNothing ? piece : line(depth) + piece })
    } else if (piece === ",") tokens.push({ kind: "mark", text: piece + line(depth) })
    else if (piece === ":") tokens.push({ kind: "mark", text: ": " })
    else if (piece.startsWith('"')) tokens.push({ kind: next === ":" ? "key" : "string", text: piece })
    else tokens.push({ kind: /^[tfn]/.test(piece) ? "word" : "number", text: piece })
  }
  return tokens
}
