import { Effect } from "effect"
import { HttpRouter, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { plain, problem } from "./JsonResponse.ts"
import { pathOf, prefixOf } from "./Mounted.ts"
import * as PageFiles from "./PageFiles.ts"

type Request = HttpServerRequest.HttpServerRequest

const respond = (request: Request) => {
  const found = PageFiles.find(pathOf(request.url), request.headers)
  if (found === undefined) return problem(request, plain(404, "Not Found"), { detail: "There is no such resource" })
  const { bytes, headers, status } = found
  return status === 304
    ? HttpServerResponse.empty({ status, headers })
    : HttpServerResponse.uint8Array(bytes, { headers, contentType: headers["content-type"] ?? "" })
}

/** The dashboard: a page, its program and its style. It says nothing of tasks, so that it needs no key. */
export const layer = HttpRouter.use(
  Effect.fnUntraced(function* (router) {
    yield* router.add("GET", "/", (request) => {
      // below a prefix, what is relative to it has to be below it too
      const isBelow = prefixOf(request) === "" || pathOf(request.originalUrl).endsWith("/")
      return Effect.succeed(
        isBelow
          ? respond(request)
          : HttpServerResponse.empty({ status: 308, headers: { location: `${prefixOf(request)}/` } })
      )
    })
    yield* router.add("GET", "/assets/:name", (request) => Effect.succeed(respond(request)))
  })
)
