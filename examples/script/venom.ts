// A client that is nothing but fetch: it goes wherever fetch is.

const venom = process.env["VENOM_URL"] ?? "http://127.0.0.1:8000"

interface Task {
  readonly id: string
  readonly status: "PENDING" | "PROCESSING" | "COMPLETED" | "FAILED"
  readonly result: string | null
  readonly failure: { readonly reason: string; readonly message: string } | null
}

const isFinal = ({ status }: Pick<Task, "status">) => status === "COMPLETED" || status === "FAILED"

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

/** Asks again where that may help, not before `Retry-After`: nobody answers, too much to do, no room, it stops. */
const ask = async (path: string, init: RequestInit = {}, attempt = 1): Promise<Response> => {
  const answer = await fetch(venom + path, init).catch(() => undefined)
  if (answer !== undefined && answer.status !== 429 && answer.status !== 503) return answer
  if (attempt === 10) throw new Error(answer === undefined ? `Nobody answers at ${venom}` : await answer.text())
  await pause(Number(answer?.headers.get("retry-after") ?? 1))
  return ask(path, init, attempt + 1)
}

/** What the answer says, or an error with the words of its problem document. */
const read = async <A>(answer: Response): Promise<A> => {
  const body = JSON.parse(await answer.text())
  if (!answer.ok) throw new Error(`${body.title}: ${body.detail}`)
  return body
}

/** Submits a task once, however often it has to ask for that: a request with the same key makes no second task. */
export const submit = async (content: string, idempotencyKey: string = crypto.randomUUID()): Promise<string> => {
  const answer = await ask("/api/v1/tasks", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
    body: JSON.stringify({ content })
  })
  const { task_id } = await read<{ readonly task_id: string }>(answer)
  return task_id
}

/** The task when it is final. Each request waits for that for up to 20 seconds. */
export const wait = async (id: string): Promise<Task> => {
  const answer = await ask(`/api/v1/tasks/${id}`, { headers: { prefer: "wait=20" } })
  const task = await read<Task>(answer)
  if (isFinal(task)) return task
  await pause(Number(answer.headers.get("retry-after") ?? 1))
  return wait(id)
}
