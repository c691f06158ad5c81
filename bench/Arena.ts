import { mkdir, rm } from "node:fs/promises"
import { createServer } from "node:net"
import type { ChildProcess } from "node:child_process"
import * as Child from "./Child.ts"
import type { InsidePlan } from "./inside.ts"
import { copyDirectory } from "./servers/CopyDirectory.ts"
import { postgres } from "./servers/Postgres.ts"
import { redis } from "./servers/Redis.ts"
import { ended, type ServerKind } from "./servers/Server.ts"
import { type ContenderKey, contenders } from "./systems/Contenders.ts"
import type { Values } from "./Values.ts"

/** Why a contender cannot be measured here. */
export class Missing extends Error {}

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })

/** Where one contender is measured once: a fresh directory, a fresh server, and the processes started there. */
export class Arena {
  readonly contender: ContenderKey
  readonly directory: string
  readonly port: number
  readonly #kind: ServerKind | undefined
  #server: ChildProcess | undefined
  readonly #children: Array<Child.Child> = []

  constructor(contender: ContenderKey, directory: string, port: number, kind: ServerKind | undefined) {
    this.contender = contender
    this.directory = directory
    this.port = port
    this.#kind = kind
  }

  /** `from` is a directory that another arena has left. */
  static async open(contender: ContenderKey, home: string, name: string, from?: string): Promise<Arena> {
    const directory = `${home}/${name}`
    const kind = kindOf(contender, home)
    if (from !== undefined) await copyDirectory(from, directory)
    else if (kind !== undefined) await kind.prepare(directory)
    else await mkdir(directory, { recursive: true })
    return new Arena(contender, directory, await freePort(), kind)
  }

  startServer(): void {
    this.#server = this.#kind?.start(this.directory, this.port)
    // nobody waits for an answer that cannot come
    this.#server?.once("exit", () => {
      for (const child of this.#children) child.process.kill("SIGKILL")
    })
  }

  /** A process inside which the contender runs what `module` exports as `inside`. */
  inside(module: string, params: Values, execArgv: ReadonlyArray<string> = []): Child.Child {
    const plan: InsidePlan = {
      contender: this.contender,
      place: { port: this.port, directory: this.directory },
      module,
      params
    }
    return this.own(Child.start("inside.ts", plan, execArgv))
  }

  /** Ends with the arena. */
  own<A extends Child.Child>(child: A): A {
    this.#children.push(child)
    return child
  }

  pids(): ReadonlyArray<number> {
    return [this.#server, ...this.#children.map((child) => child.process)].flatMap((process) =>
      process?.pid === undefined || process.exitCode !== null ? [] : [process.pid]
    )
  }

  /** In order, or by SIGKILL; the directory stays. */
  async stop(how: "in order" | "by force"): Promise<void> {
    for (const child of this.#children.toReversed()) await child.end(how === "in order" ? "SIGTERM" : "SIGKILL")
    const kind = this.#kind
    if (this.#server === undefined || kind === undefined) return
    await ended(this.#server, how === "in order" ? kind.stop : (server) => server.kill("SIGKILL"))
  }

  async close(): Promise<void> {
    await this.stop("by force")
    await rm(this.directory, { recursive: true, force: true })
  }
}

const kindOf = (contender: ContenderKey, home: string): ServerKind | undefined => {
  const { server } = contenders[contender]
  if (server === "none") return undefined
  const kind =
    server === "postgres"
      ? postgres(`${home}/postgres-template`)
      : redis(contender === "bullmqAlways" ? "always" : "everysec")
  if (kind === undefined) {
    throw new Missing(
      server === "postgres"
        ? "PostgreSQL is not installed (Debian: postgresql)"
        : "Redis is not installed (Debian: redis-server)"
    )
  }
  return kind
}
