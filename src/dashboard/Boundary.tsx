import type { ComponentChildren } from "preact"
import { useErrorBoundary } from "preact/hooks"
import * as Answer from "./Answer.ts"
import * as Api from "./Api.ts"

/** Holds what breaks in a view to that view, and says so. An answer that it broke on is not kept. */
export const Boundary = ({ children }: { readonly children: ComponentChildren }) => {
  const [error]: readonly [unknown, unknown] = useErrorBoundary(Answer.forget)
  if (error === undefined) return <>{children}</>
  return (
    <section class="panel failed" role="alert">
      <h1>This view has broken</h1>
      <pre class="error">{Api.reasonOf(error)}</pre>
      <button type="button" onClick={() => location.reload()}>
        Load the page anew
      </button>
    </section>
  )
}
