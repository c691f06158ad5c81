import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as CommandLine from "../../../src/adapters/runners/CommandLine.ts"

const splits = (line: string, words: ReadonlyArray<string>) =>
  it(`splits ${line}`, () => assert.deepStrictEqual(Result.getOrThrow(CommandLine.parse(line)), words))

const refuses = (line: string, reason: RegExp) =>
  it(`refuses ${JSON.stringify(line)}`, () => {
    const parsed = CommandLine.parse(line)
    assert.isTrue(Result.isFailure(parsed))
    if (Result.isFailure(parsed)) assert.match(parsed.failure.message, reason)
  })

describe("CommandLine.parse", () => {
  splits("wc -w", ["wc", "-w"])
  splits("  wc \t -w\n", ["wc", "-w"])
  splits(`sh -c 'echo "$HOME" | wc'`, ["sh", "-c", `echo "$HOME" | wc`])
  splits(`say "two words" '' ""`, ["say", "two words", "", ""])
  splits(String.raw`a\ b c\"d "e\"f" 'g\h'`, ["a b", `c"d`, `e"f`, String.raw`g\h`])
  splits(`--name='it'"'"'s'`, ["--name=it's"])
  splits("ünï 😀", ["ünï", "😀"])

  refuses("", /names no program/)
  refuses(" \t ", /names no program/)
  refuses("''", /names no program/)
  refuses("say 'it", /quote is not closed$/)
  refuses(`say "it`, /quote is not closed$/)
  refuses("say it\\", /backslash escapes nothing$/)
  refuses("wc | sort", /"\|" needs a shell.*sh -c/)
  refuses("echo $HOME", /needs a shell/)
  refuses("ls *", /needs a shell/)
})

describe("CommandLine.findProgram", () => {
  const finds = (program: string, path: string, directory = ".") =>
    Result.isSuccess(CommandLine.findProgram([program], path, directory))

  it("looks through PATH as the system does", () => {
    assert.isTrue(finds("sh", "/nowhere:/bin:/usr/bin"))
    assert.isFalse(finds("sh", "/nowhere"))
    assert.isFalse(finds("no-such-program", "/bin"))
  })

  it("takes a program with a slash as a path", () => {
    assert.isTrue(finds("/bin/sh", ""))
    assert.isFalse(finds("/bin/no-such-program", "/bin"))
    assert.isTrue(finds("./bin/sh", "", "/"))
    assert.isFalse(finds("./bin/sh", "", "/usr/lib"))
  })

  it("takes neither a directory nor a file that may not be executed for a program", () => {
    assert.isFalse(finds("/bin", ""))
    assert.isFalse(finds("/etc/passwd", ""))
  })
})
