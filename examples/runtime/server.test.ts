import { afterAll, assert, it } from "vitest"
import { handle, stop } from "./server.ts"

afterAll(stop)

const headers = { host: "localhost" }

it("what the application submits is in the queue that its routes show", async () => {
  const answer = await handle(new Request("http://localhost/shout", { method: "POST", body: "hello" }))
  assert.strictEqual(await answer.text(), "HELLO")
  const tasks = await handle(new Request("http://localhost/queue/api/v1/tasks", { headers }))
  const [task] = JSON.parse(await tasks.text())
  assert.deepInclude(task, { content: "hello", status: "COMPLETED", result: "HELLO" })
})

it("a problem names the path that was asked for", async () => {
  const answer = await handle(new Request("http://localhost/queue/nothing?x=1", { headers }))
  assert.deepInclude(JSON.parse(await answer.text()), { status: 404, instance: "/queue/nothing" })
})
