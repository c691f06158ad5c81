import { useCallback, useEffect, useState } from "preact/hooks"
import { Access } from "./Access.ts"
import * as Answer from "./Answer.ts"
import * as Api from "./Api.ts"
import { Frame } from "./Frame.tsx"
import * as Live from "./Live.ts"
import { Login } from "./Login.tsx"
import type * as Wire from "./Wire.ts"

type Who =
  | { readonly _tag: "Unknown"; readonly trouble: string }
  | { readonly _tag: "Stranger" }
  | { readonly _tag: "Known"; readonly session: Wire.Session }

const retryAfter = 2000

/** Who looks is asked first; a key that is no longer known brings the login back, whenever that is. */
export const App = () => {
  const [who, setWho] = useState<Who>({ _tag: "Unknown", trouble: "" })
  const identify = useCallback(() => {
    Api.session().then(
      (session) => setWho({ _tag: "Known", session }),
      (error: unknown) => {
        if (error instanceof Api.Refused && error.status === 401) return
        setWho({ _tag: "Unknown", trouble: Api.reasonOf(error) })
      }
    )
  }, [])

  useEffect(() => {
    const unlisten = Api.onKeyNeeded(() => {
      Answer.forget()
      setWho({ _tag: "Stranger" })
    })
    identify()
    return unlisten
  }, [])

  const isKnown = who._tag === "Known"
  useEffect(() => (isKnown ? Live.start() : undefined), [isKnown])

  const isInTrouble = who._tag === "Unknown" && who.trouble !== ""
  useEffect(() => {
    if (!isInTrouble) return
    const timer = setInterval(identify, retryAfter)
    return () => clearInterval(timer)
  }, [isInTrouble])

  const logout = useCallback(() => {
    void Api.logout().finally(() => {
      Answer.forget()
      setWho({ _tag: "Stranger" })
    })
  }, [])

  switch (who._tag) {
    case "Unknown":
      return (
        <main class="login">
          <h1>Venom</h1>
          <p role="status">{who.trouble === "" ? "Asking Venom…" : `${who.trouble}. Trying again.`}</p>
        </main>
      )
    case "Stranger":
      return <Login onDone={identify} />
    case "Known":
      return (
        <Access.Provider value={who.session}>
          <Frame onLogout={who.session.locked ? logout : undefined} />
        </Access.Provider>
      )
  }
}
