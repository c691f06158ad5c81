const id = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g

type Ids = Map<string, string>

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Stands in a shown object for fields that are left out. */
const more = "…"

const parse = (text: string): unknown => JSON.parse(text.replaceAll(/(?<=[{,]\s*)…(?=\s*})/g, `"${more}": null`))

/**
 * Holds what a document shows to what a service answers. Times and ids are never the same twice: any time
 * stands for any other, and an id that is shown stands for the one that came where it is shown first.
 */
export class Likeness {
  #ids: Ids = new Map()

  /** A command of the document, with the ids of this service. */
  real(command: string): string {
    return command.replaceAll(new RegExp(id, "g"), (shown) => this.#ids.get(shown) ?? shown)
  }

  /** What differs; nothing where all that is shown is there. */
  json(shown: string, real: string): string | undefined {
    return this.#unlessDifferent((ids) => {
      try {
        return value(ids, "", parse(shown), JSON.parse(real))
      } catch (error) {
        return `${error}: ${real}`
      }
    })
  }

  /** The same for a whole answer: its status, the headers that are shown, its body. */
  http(shown: string, real: string): string | undefined {
    const [expected, found] = [message(shown), message(real)]
    return this.#unlessDifferent((ids) => {
      if (expected.status !== found.status) return `${expected.status} is ${found.status}`
      for (const [name, text] of expected.headers) {
        const header = found.headers.get(name)
        const differs = header === undefined ? `${name} is missing` : string(ids, name, text, header)
        if (differs !== undefined) return differs
      }
      if (expected.body === "" || found.body === "") return expected.body === found.body ? undefined : "body"
      return value(ids, "", parse(expected.body), JSON.parse(found.body))
    })
  }

  #unlessDifferent(compare: (ids: Ids) => string | undefined): string | undefined {
    const ids = new Map(this.#ids)
    const differs = compare(ids)
    if (differs === undefined) this.#ids = ids
    return differs
  }
}

const message = (text: string) => {
  const [head = "", ...body] = text
    .replaceAll("\r\n", "\n")
    .replace(/^HTTP\/1.1 100 Continue\n\n/, "")
    .split("\n\n")
  const [status, ...headers] = head.trimEnd().split("\n")
  const named = headers.map((line): [string, string] => {
    const end = line.indexOf(":")
    return [line.slice(0, end).toLowerCase(), line.slice(end + 1).trim()]
  })
  return { status, headers: new Map(named), body: body.join("\n\n").trim() }
}

const value = (ids: Ids, path: string, shown: unknown, real: unknown): string | undefined => {
  if (typeof shown === "string" && typeof real === "string") return string(ids, path, shown, real)
  if (Array.isArray(shown) && Array.isArray(real) && shown.length === real.length) {
    return first(shown.map((item, index) => () => value(ids, `${path}[${index}]`, item, real[index])))
  }
  if (isObject(shown) && isObject(real)) {
    const { [more]: open, ...fields } = shown
    const surplus = open === undefined ? Object.keys(real).filter((key) => !(key in fields)) : []
    if (surplus.length > 0) return `${path} has ${surplus.join(", ")} too`
    return first(
      Object.entries(fields).map(
        ([key, field]) =>
          () =>
            value(ids, `${path}.${key}`, field, real[key])
      )
    )
  }
  return shown === real ? undefined : `${path} is ${JSON.stringify(real)}, not ${JSON.stringify(shown)}`
}

const first = (comparisons: ReadonlyArray<() => string | undefined>): string | undefined => {
  for (const compare of comparisons) {
    const differs = compare()
    if (differs !== undefined) return differs
  }
  return undefined
}

const string = (ids: Ids, path: string, shown: string, real: string): string | undefined => {
  const pattern = new RegExp(id, "g")
  const shape = (text: string) => text.replaceAll(time, "TIME").replaceAll(pattern, "ID").trim()
  if (shape(shown) !== shape(real)) return `${path} is ${JSON.stringify(real)}, not ${JSON.stringify(shown)}`
  const found = real.match(pattern) ?? []
  return first(
    (shown.match(pattern) ?? []).map((one, index) => () => {
      const known = ids.get(one)
      const other = found[index] ?? ""
      if (known === undefined) ids.set(one, other)
      return known === undefined || known === other ? undefined : `${path} names ${other}, not ${known}`
    })
  )
}
