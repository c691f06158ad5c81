import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted, Result } from "effect"
import * as RunnersFile from "../../../src/adapters/runners/RunnersFile.ts"

const secret = `whsec_${Buffer.alloc(24, 1).toString("base64")}`
const environment = {
  PATH: "/bin",
  HOME: "/home/me",
  HOOK_SECRET: secret,
  TOKEN: "s3cret",
  VENOM_API_KEY: "k",
  OTHER: "x"
}

const parse = (file: unknown) => RunnersFile.parse(JSON.stringify(file), "/etc/venom/runners.json", environment)
const parsed = (file: unknown) => Result.getOrThrow(parse(file))
const problems = (file: unknown) =>
  Result.match(parse(file), { onFailure: ({ problems }) => problems, onSuccess: () => [] })

const command = { runner: "command", command: "cat" }
const target = { url: "https://example.com/hook", secret }

describe("a file of runners", () => {
  it("gives each type its program, with its directory, environment, timeout and limit", () => {
    const { others, types } = parsed({
      types: {
        plain: { runner: "command", command: "python3 report.py" },
        whole: {
          runner: "command",
          command: ["./resize.sh", "--fast"],
          directory: "images",
          timeout: "30 seconds",
          concurrency: 2,
          inherit: ["PATH", "MISSING"],
          environment: { SIZE: "800", TOKEN: { variable: "TOKEN" } }
        },
        all: { ...command, inherit: "all" }
      }
    })
    assert.isUndefined(others)
    assert.deepStrictEqual(types["plain"], {
      runner: {
        _tag: "Command",
        options: {
          command: "python3 report.py",
          directory: "/etc/venom",
          environment: { PATH: "/bin", HOME: "/home/me" }
        }
      }
    })
    assert.deepStrictEqual(types["whole"], {
      runner: {
        _tag: "Command",
        options: {
          command: ["./resize.sh", "--fast"],
          directory: "/etc/venom/images",
          environment: { PATH: "/bin", SIZE: "800", TOKEN: "s3cret" }
        }
      },
      timeout: Duration.seconds(30),
      concurrency: 2
    })
    assert.deepInclude(types["all"]?.runner.options, {
      environment: { PATH: "/bin", HOME: "/home/me", HOOK_SECRET: secret, TOKEN: "s3cret", OTHER: "x" }
    })
  })

  it("gives types services, modules and the simulation, and all others a runner", () => {
    const { others, types } = parsed({
      types: {
        web: {
          runner: "http",
          url: "http://127.0.0.1:9000/work",
          secret: [{ variable: "HOOK_SECRET" }, secret],
          headers: { authorization: { variable: "TOKEN" } },
          allow_private: true
        },
        code: { runner: "module", module: "./handlers.ts", concurrency: 3, memory: "64 MiB", inherit: [] }
      },
      others: { runner: "simulated", duration: "1 second" }
    })
    const web = types["web"]?.runner
    if (web?._tag !== "Http") return assert.fail()
    assert.deepStrictEqual(web.options.secrets.map(Redacted.value), [secret, secret])
    assert.deepInclude(web.options, { allowPrivate: true, headers: { authorization: "s3cret" } })
    assert.deepStrictEqual(types["code"], {
      runner: {
        _tag: "Module",
        options: { module: "/etc/venom/handlers.ts", workers: 3, memory: 64 * 2 ** 20, environment: {} }
      },
      concurrency: 3
    })
    assert.deepStrictEqual(others, { runner: { _tag: "Simulated", options: { duration: Duration.seconds(1) } } })
  })

  it("says who is told of the end of tasks: for all, for a type otherwise, or not at all", () => {
    assert.isUndefined(parsed({ types: { a: command } }).callbacks)
    assert.isUndefined(parsed({ types: { a: { ...command, callback: false } } }).callbacks)
    const { callbacks } = parsed({
      types: {
        a: command,
        b: { ...command, callback: false },
        c: { ...command, callback: { ...target, url: "https://c.example/" } }
      },
      callback: target
    })
    assert.strictEqual(callbacks?.others?.url, target.url)
    assert.deepStrictEqual(Object.keys(callbacks?.types ?? {}), ["b", "c"])
    assert.isNull(callbacks?.types["b"])
    assert.strictEqual(callbacks?.types["c"]?.url, "https://c.example/")
  })
})

describe("a file of runners is refused in lines that name the place", () => {
  it.each([
    [[], /^Expected an object$/],
    [{}, /nothing of any type/],
    [{ typs: {} }, /^typs: Unknown field$/],
    [{ types: { "no good": command } }, /^types: no task can have the type "no good"$/],
    [{ types: { a: { runner: "shell" } } }, /^types\.a: .*"runner": command, http, module or simulated/],
    [{ types: { a: { runner: "command" } } }, /^types\.a\.command: Missing$/],
    [{ types: { a: { runner: "command", command: [] } } }, /^types\.a\.command\[0\]: Missing$/],
    [{ types: { a: { ...command, comand: "x" } } }, /^types\.a\.comand: Unknown field$/],
    [{ types: { a: { ...command, timeout: "soon" } } }, /^types\.a\.timeout: Expected a duration/],
    [{ types: { a: { ...command, concurrency: 0 } } }, /^types\.a\.concurrency: /],
    [{ types: { a: { ...command, inherit: "PATH" } } }, /^types\.a\.inherit: .*"all" or names/],
    [{ types: { a: { ...command, environment: { A: 1 } } } }, /^types\.a\.environment\.A: .*variable/],
    [
      { types: { a: { ...command, environment: { A: { variable: "NONE" } } } } },
      /^types\.a\.environment\.A: .*NONE is not set$/
    ],
    [{ types: { a: { runner: "http", url: "example.com" } } }, /^types\.a\.url: expected a URL/],
    [
      { types: { a: { runner: "http", url: "http://10.0.0.1/" } } },
      /^types\.a\.url: 10\.0\.0\.1 is no host of the internet/
    ],
    [{ types: { a: { runner: "http", ...target, secret: "x" } } }, /^types\.a\.secret: expected whsec_/],
    [{ types: { a: { runner: "http", ...target, headers: { "a b": "x" } } } }, /^types\.a\.headers: the header "a b"/],
    [{ types: { a: { runner: "http", ...target, headers: { Host: "x" } } } }, /^types\.a\.headers: the header "Host"/],
    [{ types: { a: { runner: "module", module: "m.mjs", memory: "1 MiB" } } }, /^types\.a\.memory: expected a size/],
    [
      { types: { a: { ...command, callback: { url: "https://example.com" } } } },
      /^types\.a\.callback\.secret: Missing$/
    ],
    [{ others: { ...command, callback: target } }, /^others\.callback: /]
  ] as const)("%j", (file, says) => {
    const [line = "", ...more] = problems(file)
    assert.match(line, says)
    assert.deepStrictEqual(more, [])
    assert.notInclude(line, "\n")
  })

  it("all of them at once, and no secret in any", () => {
    const all = problems({
      types: { a: { runner: "http", url: "x" }, b: { runner: "http", ...target, secret: "s3cret" } }
    })
    assert.lengthOf(all, 2)
    assert.notInclude(all.join(), "s3cret")
  })

  it("of every kind, none behind another", () => {
    assert.deepStrictEqual(
      problems({
        typs: {},
        types: {
          "no good": { runner: "command" },
          "nor this": command,
          a: { runner: "shell" },
          b: { ...command, environment: { A: { variable: "NONE" } } },
          c: { runner: "http", url: "x", callback: { url: "https://example.com" } }
        },
        others: 1,
        callback: {}
      }),
      [
        "typs: Unknown field",
        'types: no task can have the type "no good"',
        "types.no good.command: Missing",
        'types: no task can have the type "nor this"',
        'types.a: Expected an object with a "runner": command, http, module or simulated',
        'others: Expected an object with a "runner": command, http, module or simulated',
        "types.b.environment.A: the variable NONE is not set",
        "types.c.url: expected a URL such as https://example.com/work",
        "callback.url: Missing",
        "types.c.callback.secret: Missing"
      ]
    )
  })

  it.effect("also where it is no JSON, or cannot be read", () =>
    Effect.gen(function* () {
      const broken = RunnersFile.parse("{\n  x", "f.json", {})
      assert.match(Result.getOrThrow(Result.flip(broken)).problems[0] ?? "", /^it is no JSON: /)
      const { problems } = yield* Effect.flip(RunnersFile.read("/no/such/file.json", {}))
      assert.deepStrictEqual(problems, ["/no/such/file.json: it cannot be read: NotFound"])
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
