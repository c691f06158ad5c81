import { useMemo, useState } from "preact/hooks"
import { Copy } from "./Copy.tsx"
import * as Format from "./Format.ts"
import * as Json from "./Json.ts"

/** Characters that are shown before somebody asks for the rest, and those that are laid out. */
const shownAtOnce = 20_000
const laidOut = 200_000
/** Pieces that are told apart by colour: each is an element of its own. */
const coloured = 4000

const Pieces = ({ tokens }: { readonly tokens: ReadonlyArray<Json.Token> }) => (
  <>
    {tokens.slice(0, coloured).map(({ kind, text }, index) => (
      <span key={index} class={`json-${kind}`}>
        {text}
      </span>
    ))}
    {tokens
      .slice(coloured)
      .map(({ text }) => text)
      .join("")}
  </>
)

interface Given {
  readonly title: string
  readonly text: string
}

/** A text from outside: it is never anything but text. */
export const Content = ({ text, title }: Given) => {
  const [isRaw, setRaw] = useState(false)
  const [isWhole, setWhole] = useState(false)
  const plain = useMemo(() => Format.plain(text), [text])
  const tokens = useMemo(() => (text.length > laidOut ? undefined : Json.layOut(plain)), [plain])
  const isCut = !isWhole && text.length > shownAtOnce
  const isLaidOut = tokens !== undefined && !isRaw && !isCut
  return (
    <section class="panel" aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
        <span class="note">{Format.counted(text.length, "character")}</span>
        {tokens === undefined || isCut ? null : (
          <button type="button" class="quiet" aria-pressed={isRaw} onClick={() => setRaw(!isRaw)}>
            As it is
          </button>
        )}
        <Copy label="Copy" text={() => text} />
      </div>
      {text === "" ? (
        <p class="note">empty</p>
      ) : (
        <pre class="text" tabIndex={0} aria-label={title}>
          {isLaidOut ? <Pieces tokens={tokens} /> : isCut ? plain.slice(0, shownAtOnce) : plain}
        </pre>
      )}
      {isCut ? (
        <button type="button" onClick={() => setWhole(true)}>
          Show all of it
        </button>
      ) : null}
    </section>
  )
}
