import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { System } from "../systems/System.ts"

const tasks = "/api/v1/tasks"

/** The least that node:http has to do; gives the port. */
export const serve = (system: System): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      const url = request.url ?? ""
      if (request.method === "POST" && url === tasks) {
        readBody(request, async (body) => {
          const { content }: { readonly content: string } = JSON.parse(body)
          const task_id = await system.submit(content)
          answer(response, 201, { task_id, status: "PENDING" }, { location: `${tasks}/${task_id}` })
        })
      } else if (request.method === "GET" && url.startsWith(`${tasks}/`)) {
        void system
          .get(url.slice(tasks.length + 1))
          .then((task) =>
            task === undefined ? answer(response, 404, { title: "Not Found" }) : answer(response, 200, task)
          )
      } else answer(response, 404, { title: "Not Found" })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })

const readBody = (request: IncomingMessage, then: (body: string) => void): void => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => then(Buffer.concat(chunks).toString()))
}

const answer = (
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {}
): void => {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { ...headers, "content-type": "application/json", "content-length": bytes.length })
  response.end(bytes)
}
