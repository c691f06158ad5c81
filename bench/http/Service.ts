import { spawn } from "node:child_process"
import process from "node:process"
import { setTimeout as pause } from "node:timers/promises"
import { type Arena, freePort } from "../Arena.ts"
import { type Child, gently, profiling } from "../Child.ts"
import { ended } from "../servers/Server.ts"
import type { ContenderKey } from "../systems/Contenders.ts"

/** Something that answers `/api/v1/tasks`, in a process of its own. */
export interface Service {
  readonly port: number
  readonly child: Child
}

const program = `${import.meta.dirname}/../../src/main.ts`

export interface ServeOptions {
  /** Settings of `venom serve` beside those of the bench. */
  readonly environment?: Readonly<Record<string, string>>
}

/** The real program, `venom serve`; it need not be ready yet. */
export const startVenom = async (arena: Arena, options: ServeOptions = {}): Promise<Service> => {
  const port = await freePort()
  const server = spawn(process.execPath, [...profiling(), program, "serve"], {
    env: {
      PATH: process.env["PATH"],
      VENOM_PORT: String(port),
      VENOM_DATA_DIR: arena.directory,
      VENOM_RUNNER: "simulated",
      VENOM_SIMULATED_DURATION: "0 millis",
      VENOM_LOG_LEVEL: "error",
      ...options.environment
    },
    stdio: ["ignore", "ignore", "inherit"]
  })
  const child = arena.own<Child>({
    process: server,
    next: () => Promise.reject(new Error("the service tells nothing")),
    ask: () => {},
    end: (signal) => ended(server, () => server.kill(gently(signal))),
    ended: () => ended(server, () => {})
  })
  return { port, child }
}

export const ready = async ({ child, port }: Service): Promise<void> => {
  while (child.process.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await pause(5)
  }
  throw new Error(`venom serve ended with ${child.process.exitCode}`)
}

/** A contender behind HTTP: Venom by its own program, the peers behind Fastify, the limit behind node:http. */
export const start = async (arena: Arena, contender: ContenderKey, work: boolean): Promise<Service> => {
  if (contender === "venom") {
    const service = await startVenom(arena)
    await ready(service)
    return service
  }
  arena.startServer()
  const child = arena.inside("./http/front.ts", { work: work ? 1 : 0, bare: contender === "limit" ? 1 : 0 })
  const { port } = await child.next()
  if (port === undefined) throw new Error("the front has no port")
  return { port, child }
}
