import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import * as Postgres from "../support/Postgres.ts"
import { directory, serve } from "./support/Service.ts"
import { Shell } from "./support/Shell.ts"

const settings = { VENOM_RUNNER: "command", VENOM_COMMAND: "sh -c 'read line; echo $line; test $line != bad'" }

/** All that a service tells of what it keeps. */
const everything = "venom list --all --json; venom schedules list --json; venom queue --json"

const within = (cwd: string, url: string) => {
  const shell = new Shell({ cwd, url })
  return (script: string) => Effect.promise(() => shell.run(script))
}

describe("a cut-over between a data directory and PostgreSQL", () => {
  it.live("and back carries everything, and tells the same of it", () =>
    Effect.gen(function* () {
      const cwd = yield* directory
      const postgres = yield* Postgres.make()
      const url = yield* postgres.database
      const database = { ...settings, VENOM_STORE: "postgres", VENOM_DATABASE_URL: url }

      const file = yield* serve(join(cwd, "data"), settings)
      const run = within(cwd, file.url)
      const begun = yield* run(`
        venom submit --wait good
        venom submit --wait bad --max-attempts 1
        venom submit later --delay '1 hour' --tag a
        venom submit once --delay '1 hour' --idempotency-key one
        echo '{"cron":"0 3 * * *","task":{"content":"report"}}' | venom schedules put nightly
        venom pause email`)
      assert.strictEqual(begun.code, 0, begun.stderr)
      const before = yield* run(everything)
      assert.strictEqual((yield* file.stop).code, 0)

      const moved = yield* run(`
        venom export out --data-dir data --json
        venom import out --database-url ${url} --json`)
      assert.strictEqual(moved.code, 0, moved.stderr)
      const [out, into] = moved.stdout.trim().split("\n")
      assert.strictEqual(out, into)
      const twice = yield* run(`venom import out --database-url ${url}`)
      assert.strictEqual(twice.code, 3)
      assert.match(twice.stderr, /holds a state already/)

      const node = yield* serve(join(cwd, "none"), database)
      const there = within(cwd, node.url)
      assert.strictEqual((yield* there(everything)).stdout, before.stdout)
      const again = yield* there("venom submit once --delay '1 hour' --idempotency-key one --json")
      assert.strictEqual(again.code, 0, again.stderr)
      assert.strictEqual((yield* there("venom list --all --json")).stdout.match(/"content":"once"/g)?.length, 1)
      assert.strictEqual((yield* node.stop).code, 0)

      const back = yield* run(`
        venom export back --database-url ${url} --json
        venom import back --data-dir other --json`)
      assert.strictEqual(back.code, 0, back.stderr)
      const last = yield* serve(join(cwd, "other"), settings)
      assert.strictEqual((yield* within(cwd, last.url)(everything)).stdout, before.stdout)
    }).pipe(Effect.scoped)
  )
})
