import { Option, Schema } from "effect"

const Line = Schema.fromJsonString(
  Schema.Struct({
    progress: Schema.Struct({
      percent: Schema.optionalKey(Schema.NullOr(Schema.Number)),
      message: Schema.optionalKey(Schema.NullOr(Schema.String))
    })
  })
)

const decode = Schema.decodeUnknownOption(Line, { onExcessProperty: "error" })

/** What a line such as `{"progress": {"percent": 40, "message": "resizing"}}` tells; each of the two may be left out. */
export const read = (line: string): Option.Option<(typeof Line.Type)["progress"]> =>
  line.startsWith("{") ? Option.map(decode(line), ({ progress }) => progress) : Option.none()
