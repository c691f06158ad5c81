import { useEffect, useRef } from "preact/hooks"
import * as Route from "./Route.ts"

const keys: ReadonlyArray<readonly [string, string]> = [
  ["/", "search"],
  ["j, k", "next, previous task"],
  ["Enter", "open it"],
  ["Esc", "from a task back to the list, or out of a field"],
  ["n", "new task, from the list"],
  ["?", "this help"]
]

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement

const move = (step: 1 | -1): void => {
  const rows = Array.from(document.querySelectorAll<HTMLElement>("[data-row]"))
  const at = rows.findIndex((row) => row === document.activeElement || row.dataset["row"] === "selected")
  const next = at === -1 ? rows[step === 1 ? 0 : rows.length - 1] : rows[at + step]
  next?.focus()
  next?.scrollIntoView({ block: "nearest" })
}

const search = (): void => {
  const field = document.querySelector<HTMLElement>("[data-search]")
  if (field !== null) return field.focus()
  // from another view: as soon as the list is there
  addEventListener("hashchange", () => setTimeout(search), { once: true })
  Route.go(Route.lastList())
}

/** What the keyboard does on every view, and the list of it. */
export const Keyboard = () => {
  const help = useRef<HTMLDialogElement>(null)

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === "Escape") {
        if (document.querySelector("dialog[open]") !== null) return
        if (isField(event.target) && event.target instanceof HTMLElement) return event.target.blur()
        document.querySelector<HTMLElement>("[data-back]")?.click()
        return
      }
      if (isField(event.target) || document.querySelector("dialog[open]") !== null) return
      if (event.key === "/") {
        event.preventDefault()
        search()
      } else if (event.key === "j") move(1)
      else if (event.key === "k") move(-1)
      else if (event.key === "n") document.querySelector<HTMLElement>("[data-new]")?.click()
      else if (event.key === "?") help.current?.showModal()
    }
    document.addEventListener("keydown", pressed)
    return () => document.removeEventListener("keydown", pressed)
  }, [])

  return (
    <>
      <button type="button" class="quiet" aria-label="Keys" title="Keys: ?" onClick={() => help.current?.showModal()}>
        ?
      </button>
      <dialog ref={help} class="help" aria-labelledby="keys">
        <h2 id="keys">Keys</h2>
        <dl>
          {keys.map(([key, does]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <button type="button" onClick={() => help.current?.close()}>
          Close
        </button>
      </dialog>
    </>
  )
}
