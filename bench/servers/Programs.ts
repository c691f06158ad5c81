import { accessSync, constants, readdirSync } from "node:fs"
import process from "node:process"

/** The path of a system program: from PATH, else from the directories given. */
export const findProgram = (name: string, directories: ReadonlyArray<string>): string | undefined =>
  [...(process.env["PATH"] ?? "").split(":"), ...directories]
    .map((directory) => `${directory}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Where Debian keeps the programs of each PostgreSQL, the newest first. */
export const debianPostgres = (): ReadonlyArray<string> => {
  try {
    const versions = readdirSync("/usr/lib/postgresql")
      .map(Number)
      .sort((a, b) => b - a)
    return versions.map((version) => `/usr/lib/postgresql/${version}/bin`)
  } catch {
    return []
  }
}
