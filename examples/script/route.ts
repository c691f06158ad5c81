import { submit, wait } from "./venom.ts"

// `app/api/shout/route.ts` of a Next.js application: a route that submits, and answers with the result

export const POST = async (request: Request): Promise<Response> => {
  // the key of whoever asks is ours too: asked twice, done once
  const id = await submit(await request.text(), request.headers.get("idempotency-key") ?? undefined)
  const { failure, result } = await wait(id)
  return failure === null ? Response.json({ id, result }) : Response.json({ id, ...failure }, { status: 502 })
}
