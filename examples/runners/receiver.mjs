import { createHmac, timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"

const key = Buffer.from(process.env.HOOK_SECRET.replace("whsec_", ""), "base64")

const isSigned = (headers, body) => {
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`
  const ours = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`)
  const isFresh = Math.abs(Date.now() / 1000 - Number(headers["webhook-timestamp"])) < 300
  const signatures = (headers["webhook-signature"] ?? "").split(" ").map((signature) => Buffer.from(signature))
  return isFresh && signatures.some((theirs) => theirs.length === ours.length && timingSafeEqual(theirs, ours))
}

const told = new Set()

createServer(async (request, response) => {
  const { headers, url } = request
  let body = ""
  for await (const chunk of request.setEncoding("utf8")) body += chunk
  if (!isSigned(headers, body)) return response.writeHead(401).end("this is not signed")
  if (url === "/shout") return response.end(body.toUpperCase())
  // the same end may be told more than once
  if (!told.has(headers["webhook-id"])) {
    told.add(headers["webhook-id"])
    const { data, type } = JSON.parse(body)
    console.log(`${type}: ${data.result}`)
  }
  response.writeHead(204).end()
}).listen(new URL("http://127.0.0.1:9100").port, "127.0.0.1")
