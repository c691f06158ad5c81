import { Clock, Console, Duration, Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ApiKey, isExpired, KeyId, KeyName, Scope } from "../domain/ApiKey.ts"
import * as Ago from "./Ago.ts"
import * as DurationFlag from "./DurationFlag.ts"
import * as Service from "./Service.ts"
import * as Table from "./SettingsTable.ts"
import type { Column } from "./Table.ts"
import * as Trouble from "./Trouble.ts"

/** What makes, lists and revokes keys in a directory. */
export interface Keyring<E, R> {
  readonly list: (directory: string) => Effect.Effect<Option.Option<ReadonlyArray<ApiKey>>, E, R>
  readonly create: (
    directory: string,
    wish: Pick<ApiKey, "name" | "scope" | "expiresAt">
  ) => Effect.Effect<{ readonly key: string; readonly kept: ApiKey }, E, R>
  readonly revoke: (directory: string, id: string) => Effect.Effect<boolean, E, R>
}

const toJson = Schema.encodeSync(ApiKey)

/** Without the hash, which is of no use to anyone. */
const shown = (key: ApiKey) => {
  const { sha256: _, ...rest } = toJson(key)
  return rest
}

const columns = ({ isTerminal, now }: Service.Screen): ReadonlyArray<Column<ApiKey>> => {
  const time = (instant: number | null) => (isTerminal ? Ago.of(instant, now) : Ago.iso(instant))
  return [
    { title: "ID", cell: ({ id }) => ({ text: id, look: "bold" }) },
    { title: "NAME", cell: ({ name }) => ({ text: name }) },
    { title: "SCOPE", cell: ({ scope }) => ({ text: scope }) },
    { title: "CREATED", cell: ({ createdAt }) => ({ text: time(createdAt), look: "dim" }) },
    {
      title: "EXPIRES",
      cell: (key) =>
        isExpired(key, now)
          ? { text: "expired", look: "red" }
          : { text: key.expiresAt === null && isTerminal ? "never" : time(key.expiresAt) }
    }
  ]
}

/** `venom keys`: works on the directory alone, whether the service runs or not. */
export const command = <E extends Trouble.Trouble, R>(options: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly keyring: Keyring<E, R>
}) => {
  const { environment, keyring } = options
  const set = (key: Table.Key) => environment[Table.variable(key)] || undefined

  const directory = Flag.String(Table.flag("keysDir")).pipe(
    Flag.withMetavar("<directory>"),
    Flag.withDescription(`Where the keys are [${Table.variable("keysDir")}, default: ${Table.table.keysDir.absent}]`),
    Flag.optional
  )
  const dataDir = Flag.String(Table.flag("dataDir")).pipe(
    Flag.withMetavar("<directory>"),
    Flag.withDescription(`The data directory [${Table.variable("dataDir")}, default: ${Table.table.dataDir.default}]`),
    Flag.withDefault(set("dataDir") ?? Table.table.dataDir.default)
  )
  const flags = { directory, dataDir, json: Service.jsonFlag }

  interface Given {
    readonly directory: Option.Option<string>
    readonly dataDir: string
    readonly json: boolean
  }

  /** Where the keys are: the setting, or in the data directory. */
  const inDirectory = <A, E1 extends Trouble.Trouble, R1>(
    { dataDir, directory, json }: Given,
    run: (directory: string, screen: Service.Screen) => Effect.Effect<A, E1, R1>
  ) => {
    const place = Option.getOrElse(directory, () => set("keysDir") ?? `${dataDir}/keys`)
    return Service.toldOn(
      place,
      Effect.flatMap(Service.screen(json), (screen) => run(place, screen))
    )
  }

  const list = Command.make("list", flags, (given) =>
    inDirectory(
      given,
      Effect.fnUntraced(function* (place, screen) {
        const found = yield* keyring.list(place)
        const keys = Option.getOrElse(found, () => []).toSorted((a, b) => a.createdAt - b.createdAt)
        yield* screen.tell(keys.map(shown), () => (keys.length === 0 ? [] : screen.table(columns(screen), keys)))
        if (keys.length > 0 || screen.asJson) return
        yield* Console.error(
          Option.isNone(found)
            ? `There is no key, and no ${place}: no key is needed unless VENOM_API_KEY is set`
            : `There is no key in ${place}, and one is needed: nobody is let in`
        )
      })
    )
  ).pipe(Command.withDescription("Lists the keys: their ids, never themselves"))

  const create = Command.make(
    "create",
    {
      ...flags,
      name: Flag.String("name").pipe(Flag.withDescription("What it is for, or who has it"), Flag.withSchema(KeyName)),
      scope: Flag.Literals("scope", Scope.literals).pipe(
        Flag.withDescription("read: look; write: submit and change tasks as well; admin: everything"),
        Flag.withDefault("write")
      ),
      expires: Flag.optional(
        DurationFlag.of("expires", `After how long it opens nothing any more, such as "90 days"; without, never`)
      )
    },
    (given) =>
      inDirectory(
        given,
        Effect.fnUntraced(function* (place, screen) {
          const { expires, name, scope } = given
          const now = yield* Clock.currentTimeMillis
          const expiresAt = Option.getOrNull(Option.map(expires, (after) => now + Duration.toMillis(after)))
          const { kept, key } = yield* keyring.create(place, { name, scope, expiresAt })
          yield* screen.tell({ ...shown(kept), key }, () => [key])
          if (screen.asJson) return
          yield* Console.error(
            `This key (id ${kept.id}, scope ${scope}) is shown this once. A service on ${place} takes it within two seconds`
          )
        })
      )
  ).pipe(
    Command.withDescription("Makes a key and prints it, this once: what is kept is its hash"),
    Command.withExamples([
      { command: "venom keys create --name deploy --scope write", description: "For what submits tasks" },
      { command: `venom keys create --name grafana --scope read --expires "90 days"`, description: "For what looks" }
    ])
  )

  const revoke = Command.make(
    "revoke",
    {
      ...flags,
      id: Argument.String("id").pipe(Argument.withDescription("The id of a key"), Argument.withSchema(KeyId))
    },
    (given) =>
      inDirectory(
        given,
        Effect.fnUntraced(function* (place, screen) {
          const { id } = given
          if (!(yield* keyring.revoke(place, id))) return yield* Trouble.ended("notFound", `${place} has no key ${id}`)
          yield* screen.tell({ id, revoked: true }, () => [`${id} revoked`])
        })
      )
  ).pipe(Command.withDescription("Revokes a key: within two seconds it opens nothing any more"))

  return Command.make("keys").pipe(
    Command.withDescription("API keys of the service"),
    Command.withSubcommands([list, create, revoke])
  )
}
