import { cache, useAnswer } from "./Answer.ts"
import * as Api from "./Api.ts"
import { useMay } from "./Access.ts"
import * as Route from "./Route.ts"
import { SubmitForm } from "./SubmitForm.tsx"
import type * as Wire from "./Wire.ts"

const types = cache<ReadonlyArray<Wire.TypeInfo>>()
const copied = cache<Wire.Task>()

/** A new task, or one that was there, with changes. */
export const Submit = ({ copyOf }: { readonly copyOf: string | undefined }) => {
  const may = useMay()
  const known = useAnswer(types, "types", Api.types, { changedBy: () => false })
  const isCopy = copyOf !== undefined
  const source = useAnswer(copied, copyOf ?? "", (signal) => Api.task(copyOf ?? "", signal), {
    changedBy: () => false,
    isIdle: !isCopy
  })
  const isThere = (known.value !== undefined || known.error !== undefined) && (!isCopy || source.value !== undefined)
  return (
    <section class="narrow" aria-labelledby="submit">
      <p class="crumbs">
        <a href={isCopy ? Route.ofTask(copyOf) : Route.lastList()}>← {isCopy ? "The task" : "Tasks"}</a>
      </p>
      <h1 id="submit">{isCopy ? "Run again, with changes" : "New task"}</h1>
      {source.error === undefined ? null : <p class="trouble">{source.error.message}</p>}
      {may.write ? null : <p class="empty">Nothing can be submitted here.</p>}
      {may.write && isThere ? (
        <SubmitForm key={copyOf ?? ""} types={known.value ?? []} source={isCopy ? source.value : undefined} />
      ) : null}
    </section>
  )
}
