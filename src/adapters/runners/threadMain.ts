import { inspect } from "node:util"
import { parentPort, workerData } from "node:worker_threads"
import * as LineSplitter from "./LineSplitter.ts"
import type { HandlerContext, HandlerTask } from "./Handlers.ts"
import type { FromThread, ThreadData, ToThread } from "./ThreadMessages.ts"

/** What a thread runs: it loads the module and does one attempt after another. Loads nothing of Effect. */

/** Messages on their way beyond which lines are dropped: a handler that talks without end would fill the memory. */
const mostUnread = 1000

/** Characters of a line that are kept. */
const lineChars = 2000

const { module, unread: shared }: ThreadData = workerData
const unread = new Int32Array(shared)
let run = 0
let abort = new AbortController()
let dropped = 0

const send = (message: FromThread): void => {
  Atomics.add(unread, 0, 1)
  parentPort?.postMessage(message)
}

const hasRoom = (): boolean => Atomics.load(unread, 0) < mostUnread

const tellDropped = (): void => {
  if (dropped > 0) send({ _tag: "Log", run, line: `${dropped} lines were dropped: they came too fast` })
  dropped = 0
}

const log = (line: string): void => {
  if (!hasRoom()) return void dropped++
  tellDropped()
  send({ _tag: "Log", run, line: line.slice(0, lineChars) })
}

/** Whatever is written to stdout or stderr is logged line by line. */
const capture = (stream: NodeJS.WriteStream): LineSplitter.LineSplitter => {
  const lines = LineSplitter.make(lineChars)
  const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    for (const line of lines.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"))) log(line)
    const done = typeof encoding === "function" ? encoding : callback
    if (typeof done === "function") queueMicrotask(() => done())
    return true
  }
  Object.defineProperty(stream, "write", { value: write })
  return lines
}

const captured = [capture(process.stdout), capture(process.stderr)]

const context = (): HandlerContext => {
  const own = run
  return {
    log: (line) => {
      if (own === run) log(String(line))
    },
    progress: (percent, message = null) => {
      if (own !== run || !hasRoom()) return
      send({
        _tag: "Progress",
        run,
        percent: typeof percent === "number" ? percent : null,
        message: message === null ? null : String(message)
      })
    },
    signal: abort.signal
  }
}

const property = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined

const textOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return typeof thrown === "string" ? thrown : inspect(thrown)
  return thrown.message === "" ? thrown.name : thrown.message
}

const resultOf = (returned: unknown): string =>
  typeof returned === "string" ? returned : (JSON.stringify(returned) ?? "")

/** Logs what is left of a last line. */
const endLines = (): void => {
  for (const lines of captured) for (const line of lines.end()) log(line)
  tellDropped()
}

const attempt = async (handler: Function, task: HandlerTask): Promise<void> => {
  try {
    const result = resultOf(await handler(task, context()))
    endLines()
    send({ _tag: "Returned", run, result })
  } catch (thrown) {
    if (thrown instanceof Error && thrown.stack !== undefined) for (const line of thrown.stack.split("\n")) log(line)
    endLines()
    const retryAfter = property(thrown, "retryAfter")
    send({
      _tag: "Threw",
      run,
      message: textOf(thrown),
      retryable: property(thrown, "retryable") !== false,
      retryAfter: typeof retryAfter === "number" && Number.isFinite(retryAfter) ? retryAfter : null
    })
  }
}

/** As `TaskType` of the domain has it, which would load Effect. A test holds the two to the same. */
const taskType = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/u

type Find = (type: string) => unknown

/** How a handler is found, and the types that have one; null where one takes all. */
const handlersOf = (exported: unknown): { readonly find: Find; readonly types: ReadonlyArray<string> | null } => {
  if (typeof exported === "function") return { find: () => exported, types: null }
  if (typeof exported !== "object" || exported === null) {
    throw new TypeError("its default export is neither a function nor an object of functions")
  }
  const handlers = new Map<string, unknown>(Object.entries(exported))
  for (const [type, handler] of handlers) {
    if (typeof handler !== "function") throw new TypeError(`its handler ${type} is no function`)
    if (!taskType.test(type)) throw new TypeError(`its handler ${type} is named as no type of task may be`)
  }
  return { find: (type) => handlers.get(type), types: [...handlers.keys()] }
}

const begin = async (): Promise<void> => {
  const loaded: unknown = await import(module)
  const { find, types } = handlersOf(property(loaded, "default"))
  parentPort?.on("message", (message: ToThread) => {
    if (message._tag === "Abort") return abort.abort(new Error("the attempt is to end"))
    run = message.run
    abort = new AbortController()
    const handler = find(message.task.type)
    if (typeof handler === "function") return void attempt(handler, message.task)
    send({ _tag: "Threw", run, message: `no handler for ${message.task.type}`, retryable: false, retryAfter: null })
  })
  send({ _tag: "Ready", types })
}

begin().catch((thrown: unknown) => send({ _tag: "Broken", message: textOf(thrown) }))
