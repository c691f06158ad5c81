import { accessSync, constants, statSync } from "node:fs"
import { delimiter, isAbsolute, join } from "node:path"
import { Predicate, Result, Schema } from "effect"
import { template } from "effect/process/CommandLine"

/** A program and its arguments, as they are given to the system: no shell reads them. */
export type Command = readonly [program: string, ...args: ReadonlyArray<string>]

/** This names no program that could be run. */
export class InvalidCommand extends Schema.TaggedError<InvalidCommand>()("InvalidCommand", {
  reason: Schema.String
}) {
  override get message() {
    return this.reason
  }
}

const invalid = (reason: string) => Result.fail(new InvalidCommand({ reason }))

/**
 * Splits a line as a POSIX shell does: blanks separate, 'single' and "double" quotes and backslashes
 * keep together. Nothing is expanded; what would need a shell (`|`, `$HOME`, `*`) is refused, not
 * passed on as text, unless it is quoted.
 */
export const parse = (line: string): Result.Result<Command, InvalidCommand> => {
  const words = template(Object.assign([line], { raw: [line] }))
  if (Result.isFailure(words)) {
    const reason = words.failure.message.replace(/ in template part 0$/, "")
    return invalid(
      words.failure.reason === "UnsupportedSyntax"
        ? `${reason}, and commands run without one: put it in quotes, or name a shell: sh -c '…'`
        : reason
    )
  }
  const [program, ...args] = words.success.filter(Predicate.isString)
  return program === undefined || program === ""
    ? invalid("The command names no program")
    : Result.succeed([program, ...args])
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    // whatever the reason, it cannot be run
    return false
  }
}

/** Holds a command to naming a program that is there, seen from the directory, and may be executed now. */
export const findProgram = (
  command: Command,
  path: string,
  directory: string
): Result.Result<Command, InvalidCommand> => {
  const [program] = command
  const seen = (path: string) => (isAbsolute(path) ? path : join(directory, path))
  if (program.includes("/")) {
    return isProgram(seen(program)) ? Result.succeed(command) : invalid(`There is no program to execute at ${program}`)
  }
  return path.split(delimiter).some((place) => isProgram(join(seen(place), program)))
    ? Result.succeed(command)
    : invalid(`No directory of PATH has a program ${program}`)
}
