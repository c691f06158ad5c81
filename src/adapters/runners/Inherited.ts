import type { Environment } from "./ProcessGroup.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** All that this process has in its environment. The service's own settings stay with it: some are secrets. */
export const all = (environment: Variables): Environment =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith("VENOM_") || value === undefined ? [] : [[name, value]]
    )
  )

/** What most programs need to run at all, and nothing that could be a secret. */
export const usual = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"]

export const only = (names: ReadonlyArray<string>, environment: Variables): Environment =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
