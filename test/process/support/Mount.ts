import { spawnSync } from "node:child_process"
import { mkdtempSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import type { TestContext } from "vitest"
import { command } from "./Files.ts"

const mount = (directory: string, options: string) => ["-t", "tmpfs", "-o", options, "venom-test", directory]

let known: boolean | undefined

const canMount = (): boolean => {
  const directory = mkdtempSync(join(tmpdir(), "venom-"))
  const can = spawnSync("mount", mount(directory, "size=64k")).status === 0
  if (can) spawnSync("umount", ["-l", directory])
  rmdirSync(directory)
  return can
}

/** Where this user may not mount a file system the test is skipped, aloud; in CI it must not be. */
export const mayMount = (test: TestContext): void => {
  known ??= canMount()
  if (known) return
  const why = "needs a small file system of its own, and this user may not mount one: run it as root"
  if ((process.env["CI"] ?? "") !== "") throw new Error(`In CI nothing is skipped: ${why}`)
  test.skip(why)
}

/** A file system of its own on a directory, until the scope ends. */
export const mounted = (directory: string, options: string): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.flatMap(command("mount", ...mount(directory, options)), (done) =>
      done ? Effect.void : Effect.die(`tmpfs could not be mounted on ${directory}`)
    ),
    () => command("umount", "-l", directory)
  )
