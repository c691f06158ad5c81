/** What tells a request from all others, and what is left of its URL. */
interface Request {
  readonly source: object
  readonly url: string
}

const prefixes = new WeakMap<object, string>()

/** This request has come in under a prefix, which its URL has no more. */
export const remember = ({ source }: Request, prefix: string): void => {
  prefixes.set(source, prefix)
}

/** What a client has to put before a path of ours. */
export const prefixOf = ({ source }: Pick<Request, "source">): string => prefixes.get(source) ?? ""

/** The path in a URL of ours. */
export const pathOf = (url: string): string => {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

/** The whole path that was asked for, without its query. */
export const wholePathOf = (request: Request): string => prefixOf(request) + pathOf(request.url)
