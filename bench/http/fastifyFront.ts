import fastify from "fastify"
import type { System } from "../systems/System.ts"

/** The least that a Fastify in front of a queue has to do; gives the port. */
export const serve = async (system: System): Promise<number> => {
  const app = fastify()
  app.post<{ Body: { readonly content: string } }>(
    "/api/v1/tasks",
    { schema: { body: { type: "object", required: ["content"], properties: { content: { type: "string" } } } } },
    async (request, reply) => {
      const task_id = await system.submit(request.body.content)
      return reply.code(201).header("location", `/api/v1/tasks/${task_id}`).send({ task_id, status: "PENDING" })
    }
  )
  app.get<{ Params: { readonly id: string } }>("/api/v1/tasks/:id", async (request, reply) => {
    const task = await system.get(request.params.id)
    return task === undefined ? reply.code(404).send({ title: "Not Found" }) : task
  })
  await app.listen({ host: "127.0.0.1", port: 0 })
  const address = app.server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}
