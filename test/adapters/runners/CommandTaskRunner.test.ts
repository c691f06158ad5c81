import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Result } from "effect"
import { vi } from "vitest"
import * as CommandTaskRunner from "../../../src/adapters/runners/CommandTaskRunner.ts"
import { attempt, built, claimed, listen } from "./attempts.ts"

const sh = (script: string, options: Partial<CommandTaskRunner.CommandOptions> = {}) =>
  CommandTaskRunner.layer({ command: ["sh", "-c", script], ...options })
const node = (script: string) => CommandTaskRunner.layer({ command: [process.execPath, "-e", script] })
const cat = CommandTaskRunner.layer({ command: "cat" })

const resultOf = (layer: ReturnType<typeof sh>, content = "") =>
  Effect.flatMap(attempt(layer, content), ({ result }) => Effect.fromResult(result))
const failureOf = (layer: ReturnType<typeof sh>, content = "") =>
  Effect.map(attempt(layer, content), ({ result }) =>
    Result.match(result, {
      onSuccess: (value) => assert.fail(`succeeded with ${value}`),
      onFailure: ({ message, retryable }) => ({ message, retryable })
    })
  )

/** An executable file, until the scope closes. */
const program = (text: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(join(tmpdir(), "venom-runner-"))
      const path = join(directory, "program")
      writeFileSync(path, text)
      chmodSync(path, 0o700)
      return { directory, path }
    }),
    ({ directory }) => Effect.sync(() => rmSync(directory, { recursive: true }))
  )

describe("CommandTaskRunner: content and result", { timeout: 30_000 }, () => {
  for (const [name, content] of [
    ["letters", "hello"],
    ["nothing", ""],
    ["what a shell would read", "$(id) `id` ; 'x' \"y\" \\ * ~ | & > /tmp/x"],
    ["letters beyond ASCII", "häuser, 文字, 😀, \u2028\u2029\u0085, \uFEFF"],
    ["NUL and other control characters", "a\0b\x01\x1b\x7f\r"],
    ["a line end in front and within", "\n\na\nb\r\nc"],
    ["1 MiB", "0123456789abcdef".repeat(65536)],
    ["1 MiB of emoji", "😀".repeat(262144)]
  ] as const) {
    it.live(`passes ${name} through cat unchanged`, () =>
      Effect.map(resultOf(cat, content), (result) => assert.isTrue(result === content))
    )
  }

  it.live("takes one line end away from the end of the result", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* resultOf(cat, "a\n"), "a")
      assert.strictEqual(yield* resultOf(cat, "a\r\n"), "a")
      assert.strictEqual(yield* resultOf(cat, "a\n\n"), "a\n")
    })
  )

  it.live("puts the content on stdin and nowhere else", () =>
    Effect.gen(function* () {
      const result = yield* resultOf(sh(`printf '%s|' "$#" "$@"; env; cat`), "the-secret-content")
      assert.strictEqual(result.split("the-secret-content").length, 2)
      assert.isTrue(result.startsWith("0|"))
      assert.isTrue(result.endsWith("the-secret-content"))
    })
  )

  it.live("refuses content that UTF-8 cannot carry rather than change it", () =>
    Effect.map(failureOf(cat, "a\uD800b"), ({ message, retryable }) => {
      assert.isFalse(retryable)
      assert.match(message, /surrogate/)
    })
  )

  it.live("minds no program that does not read its stdin, or closes it", () =>
    Effect.gen(function* () {
      const content = "x".repeat(1024 * 1024)
      assert.strictEqual(yield* resultOf(sh("echo done"), content), "done")
      assert.strictEqual(yield* resultOf(sh("exec 0<&-; echo closed"), content), "closed")
      assert.strictEqual(yield* resultOf(sh("head -c 3"), content), "xxx")
    })
  )

  it.live("replaces what is not UTF-8 in a result, and says so", () =>
    Effect.gen(function* () {
      const { lines, result } = yield* attempt(sh(String.raw`printf 'a\377b'`), "")
      assert.deepStrictEqual(result, Result.succeed("a\uFFFDb"))
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /not UTF-8/)
    })
  )

  it.live("takes a result of as many bytes as allowed and fails for good beyond", () =>
    Effect.gen(function* () {
      const exactly = yield* resultOf(sh("cat", { resultBytes: 100_000 }), "x".repeat(100_000))
      assert.strictEqual(exactly.length, 100_000)
      const beyond = yield* failureOf(sh("cat; sleep 1000", { resultBytes: 100_000 }), "x".repeat(100_001))
      assert.isFalse(beyond.retryable)
      assert.match(beyond.message, /more than 100000 bytes/)
    })
  )

  it.live("stops a program that writes without end", () =>
    Effect.map(
      failureOf(sh("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done")),
      ({ message, retryable }) => {
        assert.isFalse(retryable)
        assert.match(message, /more than 1048576 bytes/)
      }
    )
  )

  it.live("runs many at once", () =>
    Effect.gen(function* () {
      const runner = yield* built(cat)
      const said = yield* listen
      const contents = Array.from({ length: 50 }, (_, n) => `${n}:`.repeat(1000))
      const results = yield* Effect.forEach(contents, (content) => runner.run(claimed(content), said.handle), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(results, contents)
    })
  )
})

describe("CommandTaskRunner: stderr", { timeout: 30_000 }, () => {
  it.live("logs lines in order, while the program runs", () =>
    Effect.gen(function* () {
      const runner = yield* built(sh("echo one >&2; echo two >&2; sleep 1000"))
      const said = yield* listen
      const running = yield* Effect.forkChild(runner.run(claimed(""), said.handle))
      assert.strictEqual(yield* said.next, "one")
      assert.strictEqual(yield* said.next, "two")
      assert.isUndefined(running.pollUnsafe())
      yield* Fiber.interrupt(running)
    })
  )

  it.live("reads CR LF, a last line without an end, and what is not UTF-8", () =>
    Effect.gen(function* () {
      const { lines } = yield* attempt(sh(String.raw`printf 'a\r\nb\377c\nh\303\244\n\nend' >&2`), "")
      assert.deepStrictEqual(lines, ["a", "b\uFFFDc", "hä", "", "end"])
    })
  )

  it.live("cuts no letter in two where the pieces of a stream meet", () =>
    Effect.gen(function* () {
      const { lines } = yield* attempt(
        node(`
          const letter = Buffer.from("ä€😀\\n")
          const put = (at) => at < letter.length && process.stderr.write(letter.subarray(at, at + 1), () => setImmediate(put, at + 1))
          put(0)
        `),
        ""
      )
      assert.deepStrictEqual(lines, ["ä€😀"])
    })
  )

  it.live("keeps the beginning of a line that does not end", () =>
    Effect.gen(function* () {
      const { lines } = yield* attempt(sh("head -c 20000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo after >&2"), "")
      assert.deepStrictEqual(lines, ["x".repeat(2000), "after"])
    })
  )
})

describe("CommandTaskRunner: failures", { timeout: 30_000 }, () => {
  it.live("fails on an exit code, with the tail of stderr, and may be retried", () =>
    Effect.gen(function* () {
      const failure = yield* failureOf(sh("echo lost; echo 'it went wrong' >&2; exit 3"))
      assert.deepStrictEqual(failure, { message: "sh ended with exit code 3: it went wrong", retryable: true })
      assert.strictEqual((yield* failureOf(sh("exit 255"))).message, "sh ended with exit code 255")
    })
  )

  it.live("quotes the last 2,000 characters of stderr", () =>
    Effect.gen(function* () {
      const { message } = yield* failureOf(sh("seq 1 100000 >&2; exit 1"))
      assert.isTrue(message.endsWith("\n99999\n100000"))
      assert.isBelow(message.length, 2050)
      assert.isAbove(message.length, 1990)
    })
  )

  it.live("tells which signal killed the program", () =>
    Effect.gen(function* () {
      const failure = yield* failureOf(sh("echo before >&2; kill -KILL $$"))
      assert.deepStrictEqual(failure, { message: "sh was killed by SIGKILL: before", retryable: true })
      assert.strictEqual((yield* failureOf(sh("kill -SEGV $$"))).message, "sh was killed by SIGSEGV")
    })
  )

  it.live("is not built for a command that names no program", () =>
    Effect.gen(function* () {
      const refused = (command: string) => Effect.flip(built(CommandTaskRunner.layer({ command })))
      assert.match((yield* refused("no-such-program -x")).message, /no-such-program/)
      assert.match((yield* refused("/etc/passwd")).message, /\/etc\/passwd/)
      assert.match((yield* refused("cat 'x")).message, /quote is not closed/)
      const elsewhere = CommandTaskRunner.layer({ command: "cat", directory: "/no/such/place" })
      assert.match((yield* Effect.flip(built(elsewhere))).message, /no directory \/no\/such\/place/)
    })
  )

  it.live("fails for good when the program is gone, or may not be executed", () =>
    Effect.gen(function* () {
      const { directory, path } = yield* program("#!/bin/sh\necho ran\n")
      const runner = yield* built(CommandTaskRunner.layer({ command: [path] }))
      const said = yield* listen
      assert.strictEqual(yield* runner.run(claimed(""), said.handle), "ran")
      chmodSync(path, 0o600)
      const denied = yield* Effect.flip(runner.run(claimed(""), said.handle))
      assert.deepStrictEqual([denied.message, denied.retryable], [`${path} may not be executed`, false])
      rmSync(path)
      const gone = yield* Effect.flip(runner.run(claimed(""), said.handle))
      assert.isFalse(gone.retryable)
      assert.match(gone.message, /was not found/)
      // ENOTDIR: one of the refusals that spawn throws
      rmSync(directory, { recursive: true })
      writeFileSync(directory, "")
      const thrown = yield* Effect.flip(runner.run(claimed(""), said.handle))
      assert.isFalse(thrown.retryable)
      assert.match(thrown.message, /could not be started.*ENOTDIR/)
    })
  )

  it.live("fails for good when the interpreter of a script is missing", () =>
    Effect.gen(function* () {
      const { path } = yield* program("#!/no/such/interpreter\n")
      const { message, retryable } = yield* failureOf(CommandTaskRunner.layer({ command: [path] }))
      assert.isFalse(retryable)
      assert.match(message, /interpreter/)
    })
  )
})

describe("CommandTaskRunner: environment", { timeout: 30_000 }, () => {
  it.live("runs where it is told to, with the environment that it is given and nothing else", () =>
    Effect.gen(function* () {
      const options = { directory: "/usr/bin", environment: { PATH: "/bin:/usr/bin", A: "1" } }
      const lines = (yield* resultOf(sh("pwd -P; env | cut -d= -f1 | sort", options))).split("\n")
      const [place, ...names] = lines.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name))
      assert.strictEqual(place, realpathSync("/usr/bin"))
      assert.deepStrictEqual(names, [
        "A",
        "PATH",
        "VENOM_ATTEMPT",
        "VENOM_MAX_ATTEMPTS",
        "VENOM_TASK_ID",
        "VENOM_TASK_TYPE"
      ])
    })
  )

  it.live("tells the program about its task and nothing of the service's settings", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          vi.stubEnv("VENOM_API_KEY", "secret")
          vi.stubEnv("VENOM_DATABASE_URL", "secret")
          vi.stubEnv("OTHER", "inherited")
        }),
        () => Effect.sync(() => vi.unstubAllEnvs())
      )
      const lines = (yield* resultOf(sh("env"))).split("\n")
      assert.deepStrictEqual(lines.filter((line) => line.startsWith("VENOM_")).toSorted(), [
        "VENOM_ATTEMPT=1",
        "VENOM_MAX_ATTEMPTS=3",
        "VENOM_TASK_ID=0190163d-8694-739b-aea5-966c26f8ad91",
        "VENOM_TASK_TYPE=test"
      ])
      assert.include(lines, "OTHER=inherited")
      assert.include(lines, `PATH=${process.env["PATH"]}`)
    })
  )
})
