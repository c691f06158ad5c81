import { Schema, SchemaTransformation } from "effect"

const Key = Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,255}$/))

const plain = "[\\x21\\x23-\\x7e][\\x21-\\x7e]{0,254}"
const quoted = `"(?:[\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\]){1,255}"`

/** As the header has it: plain, or as the quoted string that the draft of the header asks for. */
export const IdempotencyKey = Schema.String.check(
  Schema.isPattern(new RegExp(`^(?:${plain}|${quoted})$`), {
    message: "Expected 1 to 255 visible ASCII characters, plain or as a quoted string"
  })
)
  .annotate({ description: "Of your choice: the same request with the same key makes its tasks once in 24 hours" })
  .pipe(
    Schema.decodeTo(
      Key,
      SchemaTransformation.transform({
        decode: (header) => (header.startsWith('"') ? header.slice(1, -1).replaceAll(/\\(["\\])/g, "$1") : header),
        encode: (key) => (key.startsWith('"') ? `"${key.replaceAll(/["\\]/g, "\\$&")}"` : key)
      })
    )
  )
