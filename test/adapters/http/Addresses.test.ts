import { assert, describe, it } from "@effect/vitest"
import { isPublic, lookupPublic, refusedCode } from "../../../src/adapters/http/Addresses.ts"

describe("addresses of the internet", () => {
  it.each(["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])(
    "%s is one",
    (address) => assert.isTrue(isPublic(address))
  )

  it.each([
    "127.0.0.1",
    "127.255.255.254",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "not an address",
    ""
  ])("%s is none", (address) => assert.isFalse(isPublic(address)))
})

describe("the lookup of a connect", () => {
  const found = (hostname: string) =>
    new Promise<unknown>((resolve) => {
      lookupPublic(hostname, { all: true }, (error, addresses) => resolve(error ?? addresses))
    })

  it("gives no address for a name of this machine", async () => {
    const refused = await found("localhost")
    assert.instanceOf(refused, Error)
    assert.propertyVal(refused, "code", refusedCode)
    assert.match(String(refused), /localhost is .*(127\.0\.0\.1|::1)/)
  })
})
