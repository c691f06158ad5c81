import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import process from "node:process"
import { Effect, type Scope } from "effect"

/** A node's place in the network: it reaches the database by one cable, and all others by another one. */
export interface Place {
  /** Runs a program there. */
  readonly within: ReadonlyArray<string>
  /** The node's own address, for those who ask it. */
  readonly address: string
  /** The one that the database sees. */
  readonly toDatabase: string
  /** The cable to the database is out, or in again. Nobody is told: what is sent is lost. */
  readonly cut: (isOut: boolean) => Effect.Effect<void>
}

export interface Network {
  /** Where nodes find the database, and where they find all else that is on this machine. */
  readonly database: string
  readonly others: string
  /** All of it. */
  readonly range: string
  readonly place: (n: number) => Effect.Effect<Place, never, Scope.Scope>
}

const ip = (...args: ReadonlyArray<string>): string => execFileSync("ip", args, { stdio: "pipe" }).toString()
const quietly = (...args: ReadonlyArray<string>): void => {
  try {
    ip(...args)
  } catch {
    // it is not there any more
  }
}

/** Names of this process, as short as names of interfaces have to be. */
const own = process.pid.toString(36)

/** Addresses of this process: others may do the same beside it. */
const prefixes = [0, 1].map((n) => `10.211.${2 * (process.pid % 128) + n}`)

/** What processes have left behind that were killed. */
const sweep = (): void => {
  const isGone = (id: string | undefined) => id !== undefined && !existsSync(`/proc/${Number.parseInt(id, 36)}`)
  for (const [, name = "", id] of ip("netns", "list").matchAll(/^(venom-([0-9a-z]+)-\d+)/gm)) {
    if (isGone(id)) quietly("netns", "del", name)
  }
  for (const [, name = "", id] of ip("-br", "link").matchAll(/^((?:vdb|vetc)([0-9a-z]+)) /gm)) {
    if (isGone(id)) quietly("link", "del", name)
  }
}

/** Why there can be none here; undefined where there can. */
export const obstacle = (): string | undefined => {
  if (process.platform !== "linux") return "network namespaces are of Linux"
  const [bridge, namespace] = [`vt${own}`, `venom-try-${own}`]
  try {
    ip("netns", "add", namespace)
    ip("link", "add", bridge, "type", "bridge")
    return undefined
  } catch (error) {
    return `this user may not make network namespaces and bridges: ${String(error).split("\n").at(-2) ?? ""}`
  } finally {
    quietly("link", "del", bridge)
    quietly("netns", "del", namespace)
  }
}

/** Removed with the scope, also where only a part could be made. */
const made = (make: () => void, remove: () => void) =>
  Effect.andThen(
    Effect.addFinalizer(() => Effect.sync(remove)),
    Effect.sync(make)
  )

/** Two bridges, and for each place a namespace with a cable to either. */
export const make: Effect.Effect<Network, never, Scope.Scope> = Effect.gen(function* () {
  sweep()
  const [database = "", others = ""] = prefixes
  const nets = [
    { kind: "db", bridge: `vdb${own}`, prefix: database },
    { kind: "etc", bridge: `vetc${own}`, prefix: others }
  ]
  for (const { bridge, prefix } of nets) {
    yield* made(
      () => {
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", `${prefix}.1/24`, "dev", bridge)
        ip("link", "set", bridge, "up")
      },
      () => quietly("link", "del", bridge)
    )
  }
  const place = Effect.fnUntraced(function* (n: number) {
    const namespace = `venom-${own}-${n}`
    const cable = (kind: string) => `${kind}${n}${own}`
    yield* made(
      () => {
        ip("netns", "add", namespace)
        ip("-n", namespace, "link", "set", "lo", "up")
        for (const { bridge, kind, prefix } of nets) {
          ip("link", "add", cable(kind), "type", "veth", "peer", "name", kind, "netns", namespace)
          ip("link", "set", cable(kind), "master", bridge, "up")
          ip("-n", namespace, "addr", "add", `${prefix}.${n + 2}/24`, "dev", kind)
          ip("-n", namespace, "link", "set", kind, "up")
        }
      },
      () => {
        for (const { kind } of nets) quietly("link", "del", cable(kind))
        quietly("netns", "del", namespace)
      }
    )
    return {
      within: ["ip", "netns", "exec", namespace],
      address: `${others}.${n + 2}`,
      toDatabase: `${database}.${n + 2}`,
      cut: (isOut: boolean) => Effect.sync(() => ip("link", "set", cable("db"), isOut ? "down" : "up"))
    }
  })
  return { database: `${database}.1`, others: `${others}.1`, range: `${database}.0/24`, place }
})
