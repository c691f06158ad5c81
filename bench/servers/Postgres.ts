import { execFile, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { chown, mkdir } from "node:fs/promises"
import { dirname } from "node:path"
import process from "node:process"
import { promisify } from "node:util"
import { copyDirectory } from "./CopyDirectory.ts"
import { debianPostgres, findProgram } from "./Programs.ts"
import type { ServerKind } from "./Server.ts"

const initdb = findProgram("initdb", debianPostgres())

/** PostgreSQL refuses to run as root: then it runs as its own user, or as nobody. */
const user = (): { readonly uid: number; readonly gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const passwd = readFileSync("/etc/passwd", "utf8")
  const row = /^postgres:.*$/m.exec(passwd) ?? /^nobody:.*$/m.exec(passwd)
  const [, , uid, gid] = row?.[0].split(":") ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** Undefined where there is no PostgreSQL. `template` holds an empty cluster, made once. */
export const postgres = (template: string): ServerKind | undefined => {
  if (initdb === undefined) return undefined
  const bin = dirname(initdb)
  const as = user()
  const make = async (directory: string) => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    if (as !== undefined) await chown(directory, as.uid, as.gid)
  }
  return {
    prepare: async (directory) => {
      if (!existsSync(`${template}/PG_VERSION`)) {
        await make(template)
        await promisify(execFile)(`${bin}/initdb`, ["-D", template, "-A", "trust", "-U", "postgres", "--no-sync"], {
          cwd: template,
          ...as
        })
      }
      await copyDirectory(template, directory)
    },
    start: (directory, port) =>
      spawn(
        `${bin}/postgres`,
        [
          "-D",
          directory,
          "-p",
          String(port),
          "-c",
          "listen_addresses=127.0.0.1",
          "-c",
          "unix_socket_directories=",
          "-c",
          "logging_collector=off",
          "-c",
          "log_min_messages=fatal"
        ],
        { cwd: directory, stdio: "ignore", ...as }
      ),
    // fast: ends sessions, writes a checkpoint
    stop: (server) => server.kill("SIGINT")
  }
}
