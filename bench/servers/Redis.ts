import { spawn } from "node:child_process"
import { mkdir } from "node:fs/promises"
import { findProgram } from "./Programs.ts"
import type { ServerKind } from "./Server.ts"

const program = findProgram("redis-server", [])

/** Undefined where there is no Redis. */
export const redis = (appendfsync: "always" | "everysec"): ServerKind | undefined =>
  program === undefined
    ? undefined
    : {
        prepare: async (directory) => void (await mkdir(directory, { recursive: true })),
        start: (directory, port) =>
          spawn(
            program,
            [
              ["--port", String(port)],
              ["--bind", "127.0.0.1"],
              ["--dir", directory],
              ["--save", ""],
              ["--appendonly", "yes"],
              ["--appendfsync", appendfsync],
              ["--loglevel", "warning"]
            ].flat(),
            { stdio: ["ignore", "ignore", "inherit"] }
          ),
        stop: (process) => process.kill("SIGTERM")
      }
