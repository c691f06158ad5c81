import { Layer } from "effect"
import { SecureRandom } from "effect/crypto"

/** Bytes drawn from the system at once: asking it costs more than an id does. */
const drawn = 4096

/** The system's secure randomness, drawn ahead. No byte is handed out twice, nor kept once it is. */
export const layer = Layer.sync(SecureRandom.SecureRandom, () => {
  const ahead = new Uint8Array(drawn)
  let next = drawn
  return SecureRandom.make((size) => {
    if (size > drawn) return SecureRandom.randomBytesUnsafe(size)
    if (next + size > drawn) {
      crypto.getRandomValues(ahead)
      next = 0
    }
    const bytes = ahead.slice(next, next + size)
    ahead.fill(0, next, next + size)
    next += size
    return bytes
  })
})
