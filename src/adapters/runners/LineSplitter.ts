/** Cuts text that comes in pieces into lines. */
export interface LineSplitter {
  /** The lines that this piece ends. */
  readonly push: (text: string) => ReadonlyArray<string>
  /** What stands after the last line end, if anything. */
  readonly end: () => ReadonlyArray<string>
}

/**
 * Lines end with LF or CR LF. Of each line the first `keep` characters are kept and the rest is
 * dropped as it comes, so that a line without end holds no memory.
 */
export const make = (keep: number): LineSplitter => {
  let line = ""
  const add = (text: string) => {
    if (line.length < keep) line += text.slice(0, keep - line.length)
  }
  const take = () => {
    const taken = line
    line = ""
    return taken
  }
  return {
    push: (text) => {
      const [first = "", ...others] = text.split("\n")
      add(first)
      return others.map((next) => {
        const ended = take()
        add(next)
        return ended.endsWith("\r") ? ended.slice(0, -1) : ended
      })
    },
    end: () => (line === "" ? [] : [take()])
  }
}
