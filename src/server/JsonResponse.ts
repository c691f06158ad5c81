import type { HttpServerRequest } from "effect/http"
import { HttpServerResponse } from "effect/http"
import type { InputIssue } from "../domain/InputIssues.ts"
import { wholePathOf } from "./Mounted.ts"

/**
 * Answers tell of this moment, are what they say they are, and are no pages: opened in a browser they load nothing, run
 * nothing and stand in no frame. No page of another origin may have them, not even as an image or a script.
 */
export const headers = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
} as const

/** An answer from JSON text. */
export const json = (
  text: string,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(text, {
    status: options.status ?? 200,
    contentType: "application/json",
    headers: options.headers === undefined ? headers : { ...headers, ...options.headers }
  })

/** What a problem has to tell beyond its name. */
export interface ProblemMembers {
  readonly detail: string
  readonly errors?: ReadonlyArray<InputIssue>
  readonly task_id?: string
  readonly schedule?: string
  readonly task_status?: string
  readonly matched?: number
  readonly error_id?: string
}

export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
}

/** A problem document (RFC 9457). `instance` is the path that was asked for, without its query. */
export const problem = (
  request: HttpServerRequest.HttpServerRequest,
  { status, title, type }: Problem,
  { detail, ...more }: ProblemMembers,
  extra?: Readonly<Record<string, string>>
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(problemText({ type, title, status }, detail, { instance: wholePathOf(request), ...more }), {
    status,
    contentType: problemType,
    headers: extra === undefined ? headers : { ...headers, ...extra }
  })

export const problemType = "application/problem+json"

export const problemText = (
  { status, title, type }: Problem,
  detail: string,
  more: Readonly<Record<string, unknown>> = {}
): string => JSON.stringify({ type, title, status, detail, ...more })

/** A problem that has no name of its own beyond its status. */
export const plain = (status: number, title: string): Problem => ({ type: "about:blank", title, status })
