import { Effect, Layer, Stream } from "effect"
import { FetchHttpClient } from "effect/http"
import { HttpTaskClient, VenomClient } from "venom/client"
import { CountWords } from "./tasks.ts"

const Queue = HttpTaskClient.layer.pipe(
  Layer.provide(VenomClient.layer({ url: `${location.origin}/queue` })),
  Layer.provide(FetchHttpClient.layer)
)

const place = <E extends Element>(selector: string, kind: new () => E): E => {
  const found = document.querySelector(selector)
  if (found instanceof kind) return found
  throw new Error(`The page has no ${selector}`)
}
const form = place("form", HTMLFormElement)
const text = place("textarea", HTMLTextAreaElement)
const answer = place("output", HTMLOutputElement)

const say = (line: string) => Effect.sync(() => (answer.textContent = line))

const count = Effect.gen(function* () {
  const task = yield* CountWords.submit({ text: text.value })
  yield* Stream.runForEach(task.events, (event) =>
    event._tag === "Progress" ? say(`${event.progress.percent} %`) : Effect.void
  )
  const { words } = yield* task.await
  yield* say(`${words} words`)
}).pipe(
  Effect.catchTag("NothingToCount", ({ message }) => say(message)),
  Effect.catch(({ message }) => say(`It did not work: ${message}`)),
  Effect.provide(Queue)
)

form.addEventListener("submit", (event) => {
  event.preventDefault()
  Effect.runFork(count)
})
