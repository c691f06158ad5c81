import { validateHeaderName, validateHeaderValue } from "node:http"
import { isIP } from "node:net"
import { Result, Schema } from "effect"
import { isPublic } from "./Addresses.ts"
import { Secret } from "./Signature.ts"

/** Headers that the connection or the signature have their own word about. */
const reserved =
  /^(webhook-.*|venom-.*|traceparent|host|connection|content-length|transfer-encoding|expect|upgrade|te|trailer)$/i

const isHeader = (name: string, value: string): boolean => {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return !reserved.test(name)
  } catch {
    // whatever Node says of it, it cannot be sent
    return false
  }
}

const HeaderMap = Schema.Record(Schema.String, Schema.String).check(
  Schema.makeFilter<Readonly<Record<string, string>>>((headers) => {
    const wrong = Object.entries(headers).find(([name, value]) => !isHeader(name, value))
    return wrong === undefined ? undefined : `the header ${JSON.stringify(wrong[0])} cannot be set here, or not to this`
  })
)

/** Where messages are sent: fixed by the operator, never by a task. */
export const Target = Schema.Struct({
  url: Schema.String,
  /** Each signs every message. Without any, messages are not signed. */
  secrets: Schema.Array(Secret),
  headers: HeaderMap,
  /** Whether it may be a host of this machine or this network. */
  allowPrivate: Schema.Boolean
})
export type Target = typeof Target.Type

const literal = (hostname: string): string => hostname.replace(/^\[|\]$/g, "")

/** A host that needs no asking to be known as one of this machine or this network. */
const isPlainlyPrivate = (hostname: string): boolean =>
  /(^|\.)localhost\.?$/i.test(hostname) || (isIP(literal(hostname)) !== 0 && !isPublic(literal(hostname)))

/** The address of a target, or what is wrong with it. */
export const urlOf = ({
  allowPrivate,
  url: text
}: Pick<Target, "url" | "allowPrivate">): Result.Result<URL, string> => {
  if (!URL.canParse(text)) return Result.fail("expected a URL such as https://example.com/work")
  const url = new URL(text)
  if (url.protocol !== "http:" && url.protocol !== "https:") return Result.fail("expected a URL of http or https")
  if (url.username !== "" || url.password !== "") {
    return Result.fail("expected a URL without user and password: they belong into a header")
  }
  if (url.hash !== "") return Result.fail("expected a URL without a #fragment: it would not be sent")
  return !allowPrivate && isPlainlyPrivate(url.hostname)
    ? Result.fail(`${url.hostname} is no host of the internet: if it is meant, allow private addresses`)
    : Result.succeed(url)
}
