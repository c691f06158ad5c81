import { Console, Effect } from "effect"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import * as Cancel from "./Cancel.ts"
import * as Delete from "./Delete.ts"
import * as Doctor from "./Doctor.ts"
import * as Dump from "./Dump.ts"
import * as Export from "./Export.ts"
import * as Get from "./Get.ts"
import * as Import from "./Import.ts"
import * as Keys from "./Keys.ts"
import * as Limits from "./Limits.ts"
import * as List from "./List.ts"
import * as Logs from "./Logs.ts"
import * as Pause from "./Pause.ts"
import * as Queue from "./Queue.ts"
import * as Resume from "./Resume.ts"
import * as Retry from "./Retry.ts"
import * as Schedules from "./Schedules.ts"
import * as Serve from "./Serve.ts"
import * as Submit from "./Submit.ts"
import type * as Trouble from "./Trouble.ts"
import * as Types from "./Types.ts"
import * as Wait from "./Wait.ts"
import * as Watch from "./Watch.ts"
import * as Why from "./Why.ts"

/** What was expected is said once. */
const inWords = (problem: string): string =>
  problem.replace(/Expected: (?:Schema validation failed: )?(?:expected )?/i, "Expected ")

/** What was asked for goes to stdout; what was wrong goes to stderr, and its line is not buried in help. */
const presenter: CliOutput.Presenter = {
  present: (event) => {
    const formatter = CliOutput.defaultFormatter()
    if (event._tag === "InvalidInvocation") {
      const command = event.commandPath.join(" ")
      const problems = event.errors.map((error) => `${command}: ${inWords(formatter.formatCliError(error))}`)
      return Console.error([...problems, `Try '${command} --help'`].join("\n"))
    }
    if (event._tag === "Help" && event.reason === "Implicit")
      return Console.error(formatter.formatHelpDoc(event.helpDoc))
    return CliOutput.defaultPresenter.present(event)
  }
}

/** The whole command line. Fails with a `CliError` that has been told already when it is used wrongly. */
export const run = <ES, RS, ED, RD, EE, RE, EK extends Trouble.Trouble, RK>(
  options: Parameters<typeof Serve.command<ES, RS>>[0] &
    Parameters<typeof Doctor.command<ED, RD>>[0] &
    Parameters<typeof Dump.command<ED, RD>>[0] &
    Parameters<typeof Export.command<EE, RE>>[0] &
    Parameters<typeof Import.command<EE, RE>>[0] &
    Parameters<typeof Keys.command<EK, RK>>[0] & { readonly version: string }
) =>
  Command.make("venom").pipe(
    Command.withDescription("A durable task queue in one process"),
    Command.withSubcommands([
      {
        group: "The service",
        commands: [
          Serve.command(options),
          Queue.command,
          Pause.command,
          Resume.command,
          Limits.command,
          Types.command,
          Schedules.command,
          Keys.command(options)
        ]
      },
      {
        group: "Tasks",
        commands: [
          Submit.command,
          Get.command,
          List.command,
          Logs.command,
          Watch.command,
          Wait.command,
          Why.command,
          Cancel.command,
          Retry.command,
          Delete.command
        ]
      },
      {
        group: "The data directory",
        commands: [Doctor.command(options), Dump.command(options), Export.command(options), Import.command(options)]
      }
    ]),
    Command.run({ version: options.version }),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(
      CliConfig.CliConfig,
      CliConfig.make({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
    )
  )
