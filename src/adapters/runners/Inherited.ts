import type { Environment } from "./ProcessGroup.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** What is about this process alone: its settings, of which some are secrets, and the trace that it was started in. */
const own = /^(VENOM_|OTEL_|TRACEPARENT$|TRACESTATE$)/

/** All that this process has in its environment, but what is about itself. */
export const all = (environment: Variables): Environment =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      own.test(name) || value === undefined ? [] : [[name, value]]
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
