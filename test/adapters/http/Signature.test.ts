import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Signature from "../../../src/adapters/http/Signature.ts"

const decode = Schema.decodeUnknownResult(Signature.Secret)
const secret = Schema.decodeSync(Signature.Secret)

// the example of the specification's reference libraries
const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1614265330, body: '{"test": 2432232314}' }
const signed = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

describe("the signature of a message", () => {
  it("is that of the Standard Webhooks specification", () => {
    assert.deepStrictEqual(Signature.headers([secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], message), {
      "webhook-id": message.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": signed
    })
  })

  it("is there once for each secret, and not at all without any", () => {
    const other = secret(`whsec_${Buffer.alloc(32, 7).toString("base64")}`)
    const both = Signature.headers([secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), other], message)
    const [first, second, ...more] = both["webhook-signature"]?.split(" ") ?? []
    assert.strictEqual(first, signed)
    assert.match(second ?? "", /^v1,[\w+/]{43}=$/)
    assert.notStrictEqual(second, first)
    assert.lengthOf(more, 0)
    assert.notProperty(Signature.headers([], message), "webhook-signature")
  })
})

describe("a secret", () => {
  it.each(["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La LaSw"])(
    "is not %s",
    (text) => assert.isTrue(Result.isFailure(decode(text)))
  )

  it("is not told by what holds it", () => {
    assert.notInclude(String(secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), "MfKQ")
  })
})
