/** A key of idempotency: a form that is sent twice makes one task. `crypto.randomUUID` is for secure places alone. */
export const fresh = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("")
