import process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit } from "effect"
import { CliError } from "effect/cli"
import * as Venom from "./cli/Venom.ts"
import type * as Service from "./serve.ts"
import { onStop } from "./signals.ts"
import { version } from "./version.ts"

const stopped = 0
const failed = 1
const badUsage = 2

/** Loaded only when it is needed: it is most of Venom. */
const serve: typeof Service.serve = (settings, unknownVariables) =>
  Effect.flatMap(
    Effect.promise(() => import("./serve.ts")),
    (service) => service.serve(settings, unknownVariables)
  )

/** Succeeds with the exit code. */
const program = Venom.run({ version, environment: process.env, serve }).pipe(
  Effect.as(stopped),
  Effect.catchTags({
    SettingsError: ({ problems }) =>
      Effect.as(Console.error(problems.map((problem) => `venom serve: ${problem}`).join("\n")), badUsage),
    // it has been logged
    ServiceFailed: ({ exitCode }) => Effect.succeed(exitCode)
  }),
  // it has been told
  Effect.catchIf(CliError.isCliError, () => Effect.succeed(badUsage)),
  Effect.catchDefect((defect) => Effect.as(Console.error(Cause.pretty(Cause.die(defect))), failed)),
  Effect.provide(NodeServices.layer)
)

const keepAlive = setInterval(() => {}, 2 ** 31 - 1)
let asked = false
const fiber = Effect.runFork(program)

onStop(() => {
  asked = true
  fiber.interruptUnsafe(fiber.id)
})
fiber.addObserver((exit) => {
  clearInterval(keepAlive)
  const code = Exit.isSuccess(exit) ? exit.value : asked ? stopped : failed
  // what was asked for may still be on its way to stdout
  if (asked || code !== 0) process.exit(code)
})
