import type { ComponentChildren } from "preact"
import { useEffect, useId, useRef, useState } from "preact/hooks"
import * as Api from "./Api.ts"

interface Given {
  readonly title: string
  readonly children?: ComponentChildren
  /** What the button says that does it. */
  readonly does: string
  readonly isDangerous?: boolean
  readonly isDisabled?: boolean
  readonly onDo: () => Promise<unknown>
  readonly onClose: () => void
}

/** Asks before something is done; what goes wrong is told here, and it stays open. */
export const Confirm = ({ children, does, isDangerous = false, isDisabled = false, onClose, onDo, title }: Given) => {
  const dialog = useRef<HTMLDialogElement>(null)
  const [trouble, setTrouble] = useState("")
  const [isBusy, setBusy] = useState(false)
  const name = useId()
  useEffect(() => dialog.current?.showModal(), [])

  const run = () => {
    setBusy(true)
    onDo().then(onClose, (error: unknown) => {
      setTrouble(Api.reasonOf(error))
      setBusy(false)
    })
  }
  return (
    <dialog ref={dialog} aria-labelledby={name} onClose={onClose}>
      <h2 id={name}>{title}</h2>
      {children}
      {trouble === "" ? null : (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      <div class="buttons">
        <button type="button" class={isDangerous ? "danger" : "primary"} disabled={isBusy || isDisabled} onClick={run}>
          {does}
        </button>
        <button type="button" onClick={onClose}>
          Leave it
        </button>
      </div>
    </dialog>
  )
}
