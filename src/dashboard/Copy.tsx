import { useEffect, useState } from "preact/hooks"

/** The clipboard is there for secure places alone; elsewhere the text is put in a field and copied from it. */
const copy = async (text: string): Promise<void> => {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text)
  const field = document.createElement("textarea")
  field.value = text
  field.className = "unseen"
  document.body.append(field)
  field.select()
  const isCopied = document.execCommand("copy")
  field.remove()
  if (!isCopied) throw new Error("not copied")
}

export const Copy = ({ label, text }: { readonly label: string; readonly text: () => string }) => {
  const [said, say] = useState("")
  useEffect(() => {
    if (said === "") return
    const timer = setTimeout(() => say(""), 2000)
    return () => clearTimeout(timer)
  }, [said])
  const press = () => {
    copy(text()).then(
      () => say("Copied"),
      () => say("The browser refuses to copy")
    )
  }
  return (
    <button type="button" class="quiet" onClick={press}>
      {said === "" ? label : <span role="status">{said}</span>}
    </button>
  )
}
