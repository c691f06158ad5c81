/** What stands for itself where it stands for no text. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Where a URL leads, without its password. */
const placeOf = (url: string): string => {
  if (!URL.canParse(url)) return "the URL"
  const { hostname, password: _, pathname, port, searchParams, username } = new URL(url)
  const user = decoded(username)
  const database = decoded(pathname.slice(1)) || user
  const host = searchParams.get("host") ?? hostname
  return `database ${database} at ${host}:${port || "5432"}${user === "" ? "" : `, user ${user}`}`
}

interface Deepest {
  readonly words: string
  /** Of PostgreSQL, or of the system. */
  readonly code: string
}

/** What lies deepest says most: what is above it says that something failed. */
export const deepest = (error: unknown): Deepest | undefined => {
  if (!(error instanceof Error)) return undefined
  const own = { words: error.message, code: "code" in error && typeof error.code === "string" ? error.code : "" }
  return deepest(error.cause) ?? own
}

const hints: ReadonlyArray<readonly [code: RegExp, hint: string]> = [
  [/^3D000$/, "create it (createdb), or name another"],
  [/^28/, "look at the user and its password, and at pg_hba.conf of the server"],
  [/^42501$/, "the user needs the right to create in this database: GRANT CREATE ON DATABASE … TO …"],
  [/^(E[A-Z]+|08...|57P0[123])$/, "is PostgreSQL running, and can it be reached there?"],
  [/^53300$/, "raise max_connections of the server, or let fewer connect"]
]

/** Why a database cannot be used: where it is, what it says, and what to do. */
export const told = (url: string, error: { readonly message: string }): string => {
  const { code, words } = deepest(error) ?? { code: "", words: error.message }
  const hint = hints.find(([codes]) => codes.test(code))?.[1]
  return `${placeOf(url)}: ${words}${hint === undefined ? "" : `; ${hint}`}`
}
