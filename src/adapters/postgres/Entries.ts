import { Effect, Option, Schema } from "effect"
import { Entry, EntryChanged, type Put } from "../../ports/Entry.ts"
import { certain, type Database, type Failed } from "./Database.ts"
import * as statements from "./statements/entries.ts"
import * as Told from "./Told.ts"
import { escape, unescape } from "./Text.ts"

interface Row {
  readonly name: string
  readonly value: string
  readonly revision: number
  readonly expires_at: bigint | null
}

const decode = Schema.decodeUnknownSync(Schema.toType(Entry))

const read = ({ expires_at, name, revision, value }: Row): Entry =>
  decode({
    name: unescape(name),
    value: JSON.parse(value),
    revision,
    expiresAt: expires_at === null ? null : Number(expires_at)
  })

export const get = (database: Database, name: string): Effect.Effect<Option.Option<Entry>, Failed> =>
  Effect.map(database.query<Row>(statements.entry, [escape(name)]), ([row]) =>
    Option.map(Option.fromUndefinedOr(row), read)
  )

export const startingWith = (database: Database, prefix: string): Effect.Effect<ReadonlyArray<Entry>, Failed> =>
  Effect.map(database.query<Row>(statements.entries, [escape(prefix)]), (rows) =>
    rows
      .map(read)
      .filter(({ name }) => name.startsWith(prefix))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  )

/** The change, or what is in its way. Whether other nodes are told. */
export const put = Effect.fnUntraced(function* (database: Database, put: Put, isTold: boolean) {
  const { expects, expiresAt, name, now, value } = put
  const told = isTold ? Told.entry(name) : null
  const key = escape(name)
  const json = JSON.stringify(value)
  const done = yield* value === undefined
    ? database.query(statements.takeEntry, [key, now, expects, told])
    : expects === 0
      ? database.query(statements.makeEntry, [key, json, expiresAt, now, told])
      : database.query(statements.changeEntry, [key, json, expiresAt, now, told, expects])
  if (done.length > 0) return
  const present = Option.filter(
    yield* get(database, name),
    (entry) => entry.expiresAt === null || entry.expiresAt > now
  )
  // to take away what is not there is nothing to do
  if (Option.isNone(present) && value === undefined && expects === 0) return
  return yield* new EntryChanged({ name, entry: present })
})

/** The same by itself, told to other nodes. */
export const putAlone = (database: Database, asked: Put): Effect.Effect<void, Failed | EntryChanged> =>
  certain(
    put(database, asked, true),
    Effect.map(get(database, asked.name), (found) => {
      const isSo = Option.match(found, {
        onNone: () => asked.value === undefined,
        onSome: ({ revision, value }) =>
          revision === asked.expects + 1 && JSON.stringify(value) === JSON.stringify(asked.value)
      })
      return isSo ? Option.some(undefined) : Option.none()
    })
  )

export const expire = Effect.fnUntraced(function* (
  database: Database,
  { limit, now }: { readonly now: number; readonly limit: number }
) {
  const gone = yield* database.query(statements.expire, [now, limit])
  const [next] = yield* database.query<{ readonly at: bigint | null }>(statements.nextExpiry)
  return { count: gone.length, next: Option.map(Option.fromNullishOr(next?.at), Number) }
})
