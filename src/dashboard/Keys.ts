/** A key of idempotency: a form that is sent twice makes one task. `crypto.randomUUID` is for secure places alone. */
export const fresh = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The same key for the same body, and another one for each other body. */
export const byBody = (): ((body: object) => string) => {
  const keys = new Map<string, string>()
  return (body) => {
    const text = JSON.stringify(body)
    const key = keys.get(text) ?? fresh()
    keys.set(text, key)
    return key
  }
}
