import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { Shell } from "./support/Shell.ts"
import { directory, serve } from "./venom.ts"

const begin = async (env: Readonly<Record<string, string>> = {}) => {
  const cwd = await directory()
  const venom = await serve([], { cwd, env: { VENOM_SIMULATED_DURATION: "0 seconds", ...env } })
  return { cwd, venom, shell: new Shell({ cwd, url: await venom.url() }) }
}

const id = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\n$/
const escape = "\u001b"
/** What colours text. */
const colors = new RegExp(`${escape}\\[\\d+m`, "g")
const nobody = "01900000-0000-7000-8000-000000000000"

describe("submit", () => {
  it("prints the id alone, of content from an argument, a file and stdin", async () => {
    const { cwd, shell } = await begin()
    await writeFile(join(cwd, "content.txt"), "from a file\n")
    const one = await shell.run("venom submit 'from an argument' --type email -p -5 --tag a --tag b --max-attempts 2")
    assert.deepInclude(one, { code: 0, stderr: "" })
    assert.match(one.stdout, id)
    assert.match((await shell.run("venom submit --content-file content.txt")).stdout, id)
    assert.match((await shell.run("venom submit -", "from stdin")).stdout, id)
    const { stdout } = await shell.run("venom list --json")
    const tasks: ReadonlyArray<Record<string, unknown>> = JSON.parse(stdout)
    assert.deepStrictEqual(
      tasks.map(({ content }) => content),
      ["from stdin", "from a file\n", "from an argument"]
    )
    assert.deepInclude(tasks[2], { type: "email", priority: -5, tags: ["a", "b"], max_attempts: 2 })
  })

  it("takes a backoff, and makes a task once more with changes", async () => {
    const { shell } = await begin()
    const script = `
      id=$(venom submit first -t email --tag a --backoff linear --backoff-base '2 seconds' --backoff-jitter 0)
      venom submit --copy-of $id --priority 7 --backoff-cap '1 minute' > /dev/null
      venom submit second --copy-of $id > /dev/null
      echo "{\\"copy_of\\":\\"$id\\",\\"content\\":\\"third\\"}" > copies.jsonl
      venom submit --file copies.jsonl > /dev/null
      venom list --json`
    const { code, stderr, stdout } = await shell.run(script)
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const tasks: ReadonlyArray<Record<string, unknown>> = JSON.parse(stdout)
    const like = { type: "email", tags: ["a"], backoff: { kind: "linear", base: "2 seconds", jitter: 0 } }
    assert.deepInclude(tasks[0], { ...like, content: "third" })
    assert.deepInclude(tasks[1], { ...like, content: "second" })
    assert.deepInclude(tasks[2], { ...like, content: "first", priority: 7, backoff: { cap: "1 minute" } })
    assert.deepInclude(tasks[3], { ...like, content: "first", priority: 0 })
    assert.strictEqual((await shell.run(`venom submit --copy-of ${nobody}`)).code, 4)
  })

  it("waits for the result and ends as the task does", async () => {
    const { shell } = await begin({
      VENOM_RUNNER: "command",
      VENOM_COMMAND: `sh -c 'read line; echo "$line!"; test "$line" = good'`
    })
    const good = await shell.run("venom submit --wait - --max-attempts 1", "good\n")
    assert.deepInclude(good, { code: 0, stderr: "" })
    assert.strictEqual(good.stdout.trimEnd(), "good!")
    const bad = await shell.run("venom submit --wait - --max-attempts 1", "bad\n")
    assert.deepInclude(bad, { code: 1, stdout: "" })
    assert.match(bad.stderr, /is FAILED: error, /)
    const failed = await shell.run("venom wait $(venom list --status FAILED | cut -f1)")
    assert.strictEqual(failed.code, 1)
    assert.match(failed.stdout, /^[\w-]{36}\tFAILED\n$/)
    const retried = await shell.run("venom retry --status FAILED --yes && venom list --status FAILED --json")
    assert.match(retried.stdout, /^1 task given another attempt\n/)
  })

  it("tells what is wrong with a task, with nothing sent", async () => {
    const { shell } = await begin()
    const wrong = await shell.run("venom submit x --priority 1000 --delay soon")
    assert.deepInclude(wrong, { code: 2, stdout: "" })
    assert.match(wrong.stderr, /^priority: Expected .*\ndelay: Expected a duration/)
    assert.strictEqual((await shell.run("venom submit")).code, 2)
    assert.strictEqual((await shell.run("printf '\\377' | venom submit -")).code, 2)
    assert.strictEqual((await shell.run("venom list --json")).stdout, "[]\n")
  })

  it("of a key makes its task once", async () => {
    const { shell } = await begin()
    const { stdout } = await shell.run("venom submit x --idempotency-key k; venom submit x --idempotency-key k")
    const [first, second] = stdout.split("\n")
    assert.strictEqual(first, second)
    assert.strictEqual((await shell.run("venom submit y --idempotency-key k")).code, 2)
  })
})

describe("what a task says", () => {
  it("never orders a terminal about, and is whole for a program", async () => {
    const { shell } = await begin({ VENOM_RUNNER: "command", VENOM_COMMAND: "cat" })
    const evil = `${escape}]0;owned\u0007${escape}[2J\u009b31m\u202etext`
    await shell.run("venom submit --wait -", evil)
    const where = (await shell.run("venom list | cut -f1")).stdout.trim()
    for (const command of ["list", `get ${where}`, `get ${where} --result`, `logs ${where}`, "list --json"]) {
      for (const { stdout } of [await shell.terminal(command), await shell.run(`venom ${command}`)]) {
        if (command.endsWith("--result") && stdout === evil) continue
        assert.notMatch(stdout.replaceAll(colors, ""), /(?![\n\t])[\p{Cc}\p{Bidi_Control}]/u, command)
      }
    }
    assert.strictEqual((await shell.run(`venom get ${where} --result`)).stdout, evil)
    assert.strictEqual(JSON.parse((await shell.run(`venom get ${where} --json`)).stdout).content, evil)
  })
})

describe("get", () => {
  it("is a name and its value a line, for a program", async () => {
    const { shell } = await begin({ VENOM_RUNNER: "command", VENOM_COMMAND: "cat" })
    await shell.run("venom submit --wait 'a\tb\nc' --tag one --tag two --priority -3")
    const { stdout } = await shell.run("venom get $(venom list | cut -f1)")
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"))
    const of = (name: string) => rows.flatMap(([is, ...values]) => (is === name ? values : []))
    assert.deepStrictEqual(of("status"), ["COMPLETED"])
    assert.deepStrictEqual(of("priority"), ["-3"])
    assert.deepStrictEqual(of("content"), ["a\\tb\\nc"])
    assert.deepStrictEqual(of("failure"), ["", ""])
    assert.deepStrictEqual(of("tag"), ["one", "two"])
    assert.match(of("finished_at").join(), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.isAbove(of("log").length, 1)
  })
})

describe("list", () => {
  it("is aligned, coloured and fits where a person reads", async () => {
    const { shell } = await begin()
    await shell.run(`venom submit --wait "${"long ".repeat(100)}"`)
    const { code, stdout } = await shell.terminal("list")
    assert.strictEqual(code, 0)
    const [titles = "", row = ""] = stdout.replaceAll(colors, "").split("\n")
    assert.match(titles, /^ID +STATUS +TYPE +TRIES +CREATED +CONTENT$/)
    assert.match(row, /COMPLETED +default +1\/5 +(now|\ds ago) +long.*…$/)
    assert.isAtMost(row.length, 100)
    assert.strictEqual(titles.indexOf("STATUS"), row.indexOf("COMPLETED"))
    assert.match(stdout, colors)
    const plain = new Shell({
      cwd: await directory(),
      url: `${await shell.run("printf %s $VENOM_URL").then((heard) => heard.stdout)}`,
      env: { NO_COLOR: "1" }
    })
    assert.notMatch((await plain.terminal("list")).stdout, colors)
  })

  it("goes on where it ended, and shows what is asked for", async () => {
    const { shell } = await begin()
    const script = `
      for n in 1 2 3; do venom submit "number $n" --type t$n > /dev/null; done
      venom list -n 2 | cut -f6
      venom list --after $(venom list -n 2 | tail -1 | cut -f1) | cut -f6
      venom list -q 'ber 2' | cut -f6
      venom ls -t t3 | cut -f6`
    assert.deepStrictEqual((await shell.run(script)).stdout.trim().split("\n"), [
      "number 3",
      "number 2",
      "number 1",
      "number 2",
      "number 3"
    ])
  })
})

describe("exit codes", () => {
  it("tell what went wrong, and stderr says it without a stack", async () => {
    const { shell } = await begin()
    const cases = [
      { command: `venom get ${nobody}`, code: 4, says: /^No task has the id/ },
      { command: `venom why ${nobody}`, code: 4, says: /^No task has the id/ },
      { command: `venom wait ${nobody}`, code: 4, says: /^No task has the id/ },
      { command: `venom logs -f ${nobody}`, code: 4, says: /^No task has the id/ },
      { command: `venom cancel ${nobody}`, code: 4, says: /^No task has the id/ },
      { command: "venom schedules delete none", code: 4, says: /none/ },
      { command: "venom get nonsense", code: 2, says: /: "nonsense"\. Expected a UUID\n/ },
      {
        command: `venom wait ${nobody} --timeout soon`,
        code: 2,
        says: /"soon"\. Expected a duration such as "5 minutes"/
      },
      { command: "venom submit --content-file none", code: 2, says: /^none: there is no such file or directory\n$/ },
      { command: "venom submit --content-file .", code: 2, says: /^\.: it is a directory, not a file\n$/ },
      { command: "venom submit --file none", code: 2, says: /^none: there is no such file or directory\n$/ },
      { command: "venom dump --data-dir none", code: 3, says: /^The data directory none .*: there is none; say where/ },
      {
        command: "venom doctor --data-dir none",
        code: 3,
        says: /^The data directory none .*: there is none; say where/
      },
      {
        command: "venom import /dev/null --data-dir new",
        code: 3,
        says: /^The export \/dev\/null cannot be used: its end/
      },
      {
        command: "venom schedules put x < /dev/null",
        code: 2,
        says: /^No schedule in stdin:\n  Expected JSON, found nothing/
      },
      { command: "venom cancel", code: 2, says: /Say which tasks/ },
      { command: "venom queue --url nonsense", code: 2, says: /is no URL/ },
      { command: "venom queue --url http://127.0.0.1:9", code: 5, says: /^Nothing answers at .*\nStart it with/ },
      { command: "venom sbumit x", code: 2, says: /Did you mean/ }
    ]
    for (const { code, command, says } of cases) {
      const heard = await shell.run(command)
      assert.deepInclude(heard, { code, stdout: "" }, command)
      assert.match(heard.stderr, says, command)
      assert.notMatch(heard.stderr, /^\s+at /m, command)
    }
  })

  it("of a task that is not final in time", async () => {
    const { shell } = await begin()
    const heard = await shell.run("venom wait --timeout '200 millis' $(venom submit x --delay '1 hour')")
    assert.strictEqual(heard.code, 6)
    assert.match(heard.stderr, /is not final after 200ms/)
  })
})

describe("many tasks", () => {
  it("are changed once their number is confirmed", async () => {
    const { shell } = await begin()
    await shell.run("for n in 1 2 3; do venom submit x -t slow --delay '1 hour'; done; venom submit y --delay '1 hour'")
    const unasked = await shell.run("venom cancel --type slow")
    assert.deepInclude(unasked, { code: 2, stdout: "" })
    assert.match(unasked.stderr, /^3 tasks would be cancelled: say --yes/)
    const refused = await shell.terminal("cancel --type slow", "n")
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stdout, "Nothing has been done")
    const confirmed = await shell.terminal("cancel --type slow", "y")
    assert.strictEqual(confirmed.code, 0, confirmed.stdout)
    assert.include(confirmed.stdout, "Cancel 3 tasks?")
    assert.include(confirmed.stdout, "3 tasks cancelled")
    const deleted = await shell.run("venom delete --type slow --yes --json && venom list | wc -l")
    assert.strictEqual(deleted.stdout.replaceAll(" ", ""), '{"matched":3,"changed":3,"skipped":0}\n1\n')
  })

  it("by their ids: what can be done is done", async () => {
    const { shell } = await begin()
    const heard = await shell.run(`venom cancel ${nobody} $(venom submit x --delay '1 hour') --json`)
    assert.strictEqual(heard.code, 4)
    const [missing, done]: ReadonlyArray<{ readonly error: unknown }> = JSON.parse(heard.stdout)
    assert.match(`${missing?.error}`, /No task has the id/)
    assert.isNull(done?.error)
  })
})

describe("the queue", () => {
  it("is paused, tells why, and is resumed", async () => {
    const { shell } = await begin()
    const script = `
      venom pause email > /dev/null
      task=$(venom submit x -t email)
      venom why $task
      venom queue
      venom resume email > /dev/null
      venom wait $task
      venom types --json`
    const { stderr, stdout } = await shell.run(script)
    assert.strictEqual(stderr, "")
    const [why, reason, ...lines] = stdout.split("\n")
    assert.strictEqual(why, "PENDING\tType email is paused.")
    assert.strictEqual(reason, "type_paused\ttype email is paused")
    const counts = ["PENDING\t1", "PROCESSING\t0", "COMPLETED\t0", "FAILED\t0"]
    assert.deepStrictEqual(lines.slice(0, 7), ["paused\tfalse", ...counts, "running\t0", "limit\t64"])
    assert.match(lines[7] ?? "", /^oldest_due\t\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.strictEqual(lines[8], "type\temail\t1\t0\t0\t0\tpaused")
    assert.match(lines.slice(9).join("\n"), /^[\w-]{36}\tCOMPLETED\n\[.*\]\n$/)
    const { stdout: shown } = await shell.terminal("queue")
    assert.match(shown.replaceAll(colors, ""), /^TYPE +PENDING +PROCESSING +COMPLETED +FAILED/m)
  })

  it("has limits, which are set one by one or all at once", async () => {
    const { shell } = await begin()
    const script = `
      venom limits set --concurrency 100 > /dev/null
      venom limits set --type email -c 10 --rate '100 per 1 minute' > /dev/null
      venom limits set --each-key -c 1 > /dev/null
      venom limits set --key k -c 0
      venom limits set --type email --concurrency none > /dev/null
      venom limits set --concurrency none > /dev/null
      venom limits
      venom limits --json | venom limits set --file -  --json
      venom limits set --type email --rate none | cut -f1`
    const { code, stderr, stdout } = await shell.run(script)
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    const email = { rate: { limit: 100, per: "1 minute" } }
    assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
      "queue\t\t100\t",
      "type\temail\t10\t100 per 1 minute",
      "each_key\t\t1\t",
      "key\tk\t0\t",
      "type\temail\t\t100 per 1 minute",
      "each_key\t\t1\t",
      "key\tk\t0\t",
      JSON.stringify({ types: { email }, keys: { k: { concurrency: 0 } }, each_key: 1 }),
      "each_key",
      "key"
    ])
    for (const [args, says] of [
      ["", /^Say the limit/],
      ["--rate '1 per 1 minute'", /^A rate is of a type/],
      ["--type a --rate often", /^Say a rate as/],
      ["--type a --key b -c 1", /^Say one of/],
      ["-c many", /^concurrency: Expected number/],
      ["--type a --rate '1 per blink'", /^types\.a\.rate\.per: Expected a duration/]
    ] as const) {
      const refused = await shell.run(`venom limits set ${args}`)
      assert.deepInclude(refused, { code: 2, stdout: "" }, args)
      assert.match(refused.stderr, says)
    }
  })

  it("has schedules", async () => {
    const { shell } = await begin()
    const script = `
      echo '{"cron":"0 3 * * *","task":{"content":"report"}}' | venom schedules put nightly > /dev/null
      venom schedules list | cut -f1,2,5,6
      venom schedules get nightly --json
      venom schedules delete nightly
      venom schedules list --json
      echo '{"cron":"x","task":{}}' | venom schedules put wrong`
    const { code, stderr, stdout } = await shell.run(script)
    const [row, json = "", deleted, none] = stdout.split("\n")
    assert.strictEqual(row, "nightly\t0 3 * * * UTC\tdefault\treport")
    assert.deepInclude(JSON.parse(json), { name: "nightly", cron: "0 3 * * *" })
    assert.deepStrictEqual([deleted, none], ["nightly deleted", "[]"])
    assert.strictEqual(code, 2)
    assert.match(stderr, /^No schedule in stdin:\n  cron: .*\n  task\.content: Missing\n/)
  })
})

describe("logs", () => {
  it("are followed over a restart of the service, each line once", async () => {
    const cwd = await directory()
    const env = { VENOM_RUNNER: "command", VENOM_COMMAND: "sh -c 'echo one >&2; sleep 3; echo two >&2'" }
    const first = await serve([], { cwd, env: { ...env, VENOM_SHUTDOWN_GRACE: "0 seconds" } })
    const url = await first.url()
    const shell = new Shell({ cwd, url })
    const task = (await shell.run("venom submit x")).stdout.trim()
    const following = shell.run(`venom logs --follow ${task}`)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    first.kill("SIGTERM")
    await first.ended()
    const second = await serve([], { cwd, env: { ...env, VENOM_PORT: new URL(url).port } })
    await second.url()
    const { code, stderr, stdout } = await following
    assert.strictEqual(code, 0, stderr)
    const lines = stdout.trim().split("\n")
    assert.lengthOf(new Set(lines), lines.length)
    assert.match(lines.at(-1) ?? "", /attempt \d completed$/)
    assert.strictEqual(stdout, (await shell.run(`venom logs ${task}`)).stdout)
  })
})

describe("watch", () => {
  it("is a table that lives on a terminal, and leaves it as it was", async () => {
    const { shell } = await begin()
    await shell.run("venom submit --wait 'look at me'")
    // Ctrl-C is typed when the table has been there for a while
    const watching = shell.terminal("watch", { after: /look at me/, type: "\u0003" })
    const { code, stdout } = await watching
    assert.strictEqual(code, 130)
    assert.include(stdout, `${escape}[?1049h`)
    assert.include(stdout.slice(-40), `${escape}[?1049l`)
    assert.match(stdout.replaceAll(colors, ""), /1 COMPLETED.*COMPLETED +default/s)
  })

  it("is a line for each event where nobody reads along", async () => {
    const { shell } = await begin()
    // a reader that has had enough ends it
    const script = `
      touch events
      venom watch --json | head -n 4 > events &
      while [ $(wc -l < events) -lt 4 ]; do venom submit --wait x > /dev/null; done
      venom submit --wait x > /dev/null
      wait
      cut -c1-8 events | sort -u`
    assert.deepInclude(await shell.run(script), { stdout: '{"event"\n', stderr: "" })
  })
})
