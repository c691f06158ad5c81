import { connect, type Socket } from "node:net"
import { once } from "node:events"
import { assert, describe, it } from "vitest"
import { serve } from "./venom.ts"

const path = "/api/v1/tasks"
const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`

/** What clients send that keep a connection as long as they can, and how many of them there are. */
const kinds = [
  { what: "say nothing", count: 800, bytes: "" },
  { what: "stop within their headers", count: 800, bytes: head },
  { what: "stop within their body", count: 800, bytes: `${head}Content-Length: 1000\r\n\r\n{"content":"` }
]

interface Besieger {
  readonly socket: Socket
  readonly told: Promise<string>
}

const besieger = async (port: number, bytes: string): Promise<Besieger> => {
  const socket = connect(port, "127.0.0.1")
  const chunks: Array<string> = []
  socket.setEncoding("utf8").on("data", (chunk) => chunks.push(`${chunk}`))
  socket.on("error", () => {})
  const told = once(socket, "close").then(() => chunks.join(""))
  await once(socket, "connect")
  socket.write(bytes)
  return { socket, told }
}

describe("a siege of slow clients", () => {
  it("is over in half a minute, and those who only want to work hardly notice", async () => {
    const venom = await serve([], { env: { VENOM_SIMULATED_DURATION: "0 seconds" } })
    const url = await venom.url()
    const port = Number(new URL(url).port)
    const besiegers: Array<Besieger> = []
    for (const { bytes, count } of kinds) {
      for (let from = 0; from < count; from += 100) {
        besiegers.push(...(await Promise.all(Array.from({ length: 100 }, () => besieger(port, bytes)))))
      }
    }
    const all = Promise.all(besiegers.map(({ told }) => told))
    let worked = 0
    while (besiegers.some(({ socket }) => !socket.closed)) {
      const submitted = await fetch(`${url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: `{"content":"work"}`
      })
      assert.strictEqual(submitted.status, 201)
      assert.strictEqual((await fetch(`${url}/health/ready`)).status, 200)
      worked++
    }
    for (const told of await all) assert.match(told, /^HTTP\/1\.1 408 /)
    assert.isAbove(worked, 500)
    assert.isEmpty(venom.log.filter(({ level }) => level === "error" || level === "fatal"))
  }, 120_000)
})
