import { createContext } from "preact"
import { useContext } from "preact/hooks"
import type * as Wire from "./Wire.ts"

/** What whoever looks may do: what is not allowed is not offered. */
export const Access = createContext<Wire.Session>({ scope: "read", locked: true, read_only: true, environment: "" })

export const useMay = (): { readonly write: boolean; readonly admin: boolean } => {
  const { read_only, scope } = useContext(Access)
  return { write: !read_only && scope !== "read", admin: !read_only && scope === "admin" }
}
