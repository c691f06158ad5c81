import { useState } from "preact/hooks"
import * as Api from "./Api.ts"

/** Asks for a key. The browser keeps a cookie for it that no script can read. */
export const Login = ({ onDone }: { readonly onDone: () => void }) => {
  const [key, setKey] = useState("")
  const [trouble, setTrouble] = useState("")
  const [isBusy, setBusy] = useState(false)

  const login = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      await Api.login(key.trim())
      onDone()
    } catch (error) {
      setTrouble(Api.reasonOf(error))
      setBusy(false)
    }
  }

  return (
    <main class="login">
      <form onSubmit={(event) => void login(event)}>
        <h1>Venom</h1>
        <p>This service needs an API key. It is exchanged for a session of 12 hours; the page does not keep it.</p>
        <label>
          API key
          <input
            type="password"
            name="key"
            autocomplete="current-password"
            required
            autofocus
            value={key}
            onInput={({ currentTarget }) => setKey(currentTarget.value)}
          />
        </label>
        {trouble === "" ? null : (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        <button class="primary" disabled={isBusy || key.trim() === ""}>
          Log in
        </button>
      </form>
    </main>
  )
}
