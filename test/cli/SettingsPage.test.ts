import { Record } from "effect"
import { expect, it } from "vitest"
import * as Table from "../../src/cli/SettingsTable.ts"

const cell = (text: string) => text.replaceAll("|", "\\|")

const rows = Record.toEntries(Table.table).map(([key, row]: readonly [Table.Key, Table.Row]) => {
  const byDefault = row.absent ?? `\`${row.default}\``
  return `| \`${Table.variable(key)}\` | \`--${Table.flag(key)}\` | ${byDefault} | ${cell(row.about)} |`
})

const page = `# Settings

Each has a flag of \`venom serve\` and an environment variable. The flag wins over the environment, the environment
over the default; an empty variable counts as not set. A wrong value, or settings that contradict each other, are
refused at start with one line each and exit code 2. A \`VENOM_…\` variable that no setting has is warned about by name.

Durations are written \`2 seconds\`, \`10 millis\`, \`15 minutes\`; sizes \`2 MiB\`, \`500 kB\`, or as a number of bytes.

| variable | flag | default | meaning |
|---|---|---|---|
${rows.join("\n")}

Without a key (\`VENOM_API_KEY\`, or one of \`venom keys\`) Venom listens on loopback addresses only, unless
\`VENOM_ALLOW_OPEN=true\`; [security.md](security.md) tells of keys.

## Signals and exit codes

SIGTERM or SIGINT stops Venom in order: it takes nothing in, lets running attempts finish within the grace time, gives
the rest back, writes the dump. A second signal ends it at once; state is safe all the same. Under \`npm start\` one
Ctrl-C arrives twice, because npm hands it on, so there a second signal counts after one second.

SIGUSR2 makes the log tell everything from \`debug\` on, and a second one ends that.

| exit code | |
|---|---|
| 0 | stopped as asked |
| 1 | anything else, such as a port in use |
| 2 | bad usage or settings |
| 3 | the data directory is locked or unreadable |
| 130, 143 | ended at once by a second SIGINT or SIGTERM |
`

it("docs/settings.md says what the table says; npx vitest run -u writes it anew", async () => {
  await expect(page).toMatchFileSnapshot("../../docs/settings.md")
})
