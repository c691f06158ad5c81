import { createServer } from "node:http"
import { Effect, type Scope } from "effect"

/** An attempt as whoever does the work sees it. Times are of this process. */
export interface Seen {
  readonly node: string
  readonly task: string
  readonly attempt: number
  readonly type: string
  readonly key: string
  readonly begun: number
  ended: number
  result: string | undefined
}

/** Does the work of all nodes, and sees what is done when and for whom. */
export interface Witness {
  readonly urlOf: (node: string) => string
  readonly attempts: ReadonlyArray<Seen>
}

/** The content says what the task is: `key:…`, and how long it takes. */
const readContent = (content: string) => {
  const [key = "", millis = "0"] = content.split(" ")
  return { key, millis: Number(millis) }
}

export const make = Effect.fnUntraced(function* (host: string): Effect.fn.Return<Witness, never, Scope.Scope> {
  const attempts: Array<Seen> = []
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8").on("data", (text: string) => (body += text))
    request.on("end", () => {
      const { key, millis } = readContent(body)
      const task = String(request.headers["webhook-id"])
      const attempt = Number(request.headers["venom-attempt"])
      const seen: Seen = {
        node: String(request.url).slice(1),
        task,
        attempt,
        type: String(request.headers["venom-task-type"]),
        key,
        begun: performance.now(),
        ended: Number.POSITIVE_INFINITY,
        result: undefined
      }
      attempts.push(seen)
      const answer = setTimeout(() => {
        seen.result = `${task} ${attempt} ${attempts.length}`
        seen.ended = performance.now()
        response.end(seen.result)
      }, millis)
      response.on("close", () => {
        clearTimeout(answer)
        seen.ended = Math.min(seen.ended, performance.now())
      })
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, host, () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.sync(() => server.closeAllConnections())
  )
  return { urlOf: (node) => `http://${host}:${port}/${node}`, attempts }
})
