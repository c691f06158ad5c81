import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { assert } from "vitest"
import { Likeness } from "./Likeness.ts"
import type { Venom } from "./Venom.ts"

/** Commands that a document tells its reader to run, and the answer that it shows for them. */
interface Step {
  readonly language: string
  readonly script: string
  readonly form: string | undefined
  readonly answer: string
}

const steps = (document: string): ReadonlyArray<Step> =>
  Array.from(
    document.matchAll(/^```(sh|ts)\n(.*?)^```\n(?:```(json|http)\n(.*?)^```\n)?/gms),
    ([, language = "", script = "", form, answer = ""]) => ({ language, script, form, answer })
  )

/** `A=1 B='two words' npm start` */
const settings = (script: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from(script.matchAll(/\b([A-Z][A-Z_]+)=(?:'([^']*)'|(\S+))/g), ([, name = "", quoted, bare]) => [
      name,
      quoted ?? bare ?? ""
    ])
  )

/** How long a task may take to become what the document shows. */
const patience = 20_000

/**
 * Does what a document tells its reader to do, in order, and sees the answers that it shows. Commands run in
 * `cwd` as they stand, but for the port and the ids; TypeScript that has an answer is run by Node. `npm ci` and `npm test` are left to whoever runs this.
 * Gives the number of answers that were held to what is shown.
 */
export const walk = async (
  document: string,
  options: {
    readonly cwd: string
    readonly start: (env: Readonly<Record<string, string>>) => Promise<Venom>
    /** What else a script names, as it is in this run. */
    readonly there?: (script: string) => string
  }
): Promise<number> => {
  const { there = (script) => script } = options
  const likeness = new Likeness()
  const place = "127.0.0.1:8000"
  let venom: Venom | undefined
  let port = ""
  let variables = ""
  let answers = 0

  const restart = async (env: Readonly<Record<string, string>>) => {
    venom?.kill("SIGTERM")
    const ended = await venom?.ended()
    if (ended !== undefined && ended.signal !== "SIGKILL") assert.strictEqual(ended.code, 0)
    venom = await options.start(env)
    port = new URL(await venom.url()).host
  }

  const run = async (script: string): Promise<string> => {
    assert.isNotEmpty(port, "no npm start before the first command")
    const real = there(likeness.real(variables + script).replaceAll(place, port))
    const shell = spawn("sh", ["-c", real], { cwd: options.cwd, stdio: ["ignore", "pipe", "ignore"] })
    const [stdout] = await Promise.all([text(shell.stdout), once(shell, "close")])
    return stdout.replaceAll(port, place)
  }

  const runProgram = async (script: string): Promise<string> => {
    const program = spawn(process.execPath, ["--input-type=module-typescript", "-"], { cwd: options.cwd })
    program.stdin.end(likeness.real(script).replaceAll(place, port))
    const [stdout] = await Promise.all([text(program.stdout), once(program, "close")])
    return stdout
  }

  for (const { answer, form, language, script } of steps(document)) {
    if (language === "ts") {
      // one that shows no output is part of something greater
      if (form === undefined) continue
      assert.isUndefined(likeness.json(answer, await runProgram(script)), script)
      answers++
    } else if (script.includes("npm start")) await restart(settings(script))
    else if (!/npm (ci|test)/.test(script)) {
      variables += (script.match(/^[a-z]+=.*\n/gm) ?? []).join("")
      // what is only read may take a moment to become what is shown
      const until = performance.now() + (/ -d |--data/.test(script) || form === undefined ? 0 : patience)
      let differs: string | undefined
      do {
        const real = await run(script)
        if (form !== undefined) differs = form === "json" ? likeness.json(answer, real) : likeness.http(answer, real)
      } while (differs !== undefined && performance.now() < until)
      assert.isUndefined(differs, script)
      if (form !== undefined) answers++
    }
  }
  return answers
}
