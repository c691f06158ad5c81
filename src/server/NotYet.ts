import type { IncomingMessage, ServerResponse } from "node:http"
import { problems } from "../api/Problem.ts"
import { type StartProgress, text } from "../ports/StartProgress.ts"
import * as Guard from "./Guard.ts"
import { headers as always, type Problem, problemText, problemType } from "./JsonResponse.ts"
import { pathOf } from "./Mounted.ts"
import * as PageFiles from "./PageFiles.ts"
import type { ServerSettings } from "./ServerSettings.ts"

/**
 * Answers while the state is read: alive, not ready, and how far it is; and with the page, which tells it to people.
 * Whatever else is asked for is refused without a look at it, for a moment.
 */
export const make = (settings: ServerSettings, progress: StartProgress) => {
  const guard = Guard.make(settings)

  return (request: IncomingMessage, response: ServerResponse): void => {
    const { headers, method = "", url = "" } = request
    const answer = (
      status: number,
      type: string | undefined,
      body: string | Uint8Array,
      more: Readonly<Record<string, string>> = {}
    ) => {
      const length = String(Buffer.byteLength(body))
      // what is still to come of the request is not waited for
      response.writeHead(status, {
        ...always,
        ...more,
        ...(type === undefined ? {} : { "content-type": type }),
        "content-length": length,
        connection: "close"
      })
      response.end(body)
    }
    const refuse = (kind: Problem, detail: string, more?: Readonly<Record<string, string>>) =>
      answer(kind.status, problemType, problemText(kind, detail, { instance: pathOf(url) }), more)

    const refused = guard({ method, url, headers })
    if (refused !== undefined) return refuse(refused.kind, refused.detail)
    const page = method === "GET" ? PageFiles.find(pathOf(url), headers) : undefined
    if (page !== undefined) return answer(page.status, page.headers["content-type"], page.bytes, page.headers)
    if (pathOf(url) === "/health/live") return answer(200, "application/json", `{"status":"ok"}`)
    const step = progress.step()
    const detail = step === undefined ? "starting" : text(step)
    const isProbe = Guard.isHealth(url)
    refuse(problems.unavailable, isProbe ? detail : `Venom is starting: ${detail}`, { "retry-after": "1" })
  }
}
