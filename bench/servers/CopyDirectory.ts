import { execFile } from "node:child_process"
import { promisify } from "node:util"

/** With owners, modes and times: what is copied is a database's state. */
export const copyDirectory = async (from: string, to: string): Promise<void> => {
  await promisify(execFile)("cp", ["-a", from, to])
}
