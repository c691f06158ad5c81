import type * as Answer from "./Answer.ts"
import * as Format from "./Format.ts"
import { Ago } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

const kinds: Readonly<Record<string, string>> = {
  file: "files on this machine",
  memory: "memory: what is there is lost when the process ends",
  postgres: "PostgreSQL"
}

const kept = (seconds: number | null): string => (seconds === null ? "for ever" : `for ${Format.span(seconds * 1000)}`)

const Recovery = ({ recovery }: { readonly recovery: Wire.Storage["recovery"] }) => {
  if (recovery === null) return <>none since it was begun</>
  const { at, damaged_bytes, records, seconds, tasks } = recovery
  return (
    <>
      <Ago at={at} />, {Format.counted(tasks, "task")} from {Format.counted(records, "record")} in{" "}
      {Format.span(seconds * 1000)}
      {damaged_bytes === 0 ? (
        ", nothing was damaged"
      ) : (
        <b>, {Format.bytes(damaged_bytes)} were damaged and set aside</b>
      )}
    </>
  )
}

/** Where tasks are kept, and how that stands. */
export const StorageView = ({ storage }: { readonly storage: Answer.Answer<Wire.Storage> }) => {
  const { error, value } = storage
  return (
    <section class="narrow" aria-labelledby="storage">
      <div class="view-head">
        <h1 id="storage">Storage</h1>
      </div>
      {error === undefined ? null : <p class="trouble">{error.message}</p>}
      {value === undefined ? null : (
        <>
          <div class="panel">
            <dl class="facts">
              <div>
                <dt>Kept in</dt>
                <dd>{kinds[value.kind] ?? value.kind}</dd>
              </div>
              <div>
                <dt>Writable</dt>
                <dd>{value.writable ? "yes" : <b class="bad">no: {value.reason ?? "unknown"}</b>}</dd>
              </div>
              <div>
                <dt>Saved</dt>
                <dd>{value.saved_at === null ? "nothing yet" : <Ago at={value.saved_at} />}</dd>
              </div>
              <div>
                <dt>Last recovery</dt>
                <dd>
                  <Recovery recovery={value.recovery} />
                </dd>
              </div>
              <div>
                <dt>Completed kept</dt>
                <dd>{kept(value.retention.completed)}</dd>
              </div>
              <div>
                <dt>Failed kept</dt>
                <dd>{kept(value.retention.failed)}</dd>
              </div>
              <div>
                <dt>Finished at most</dt>
                <dd>{value.retention.count === null ? "any number" : Format.counted(value.retention.count, "task")}</dd>
              </div>
              <div>
                <dt>Next prune</dt>
                <dd>{value.next_prune === null ? "none" : <Ago at={value.next_prune} />}</dd>
              </div>
            </dl>
          </div>
          {value.files.length === 0 ? null : (
            <table>
              <caption class="unseen">Files</caption>
              <thead>
                <tr>
                  <th scope="col">file</th>
                  <th scope="col" class="number">
                    size
                  </th>
                </tr>
              </thead>
              <tbody>
                {value.files.map(({ bytes, name }) => (
                  <tr key={name}>
                    <th scope="row">
                      <code>{name}</code>
                    </th>
                    <td class="number" title={`${Format.count(bytes)} bytes`}>
                      {Format.bytes(bytes)}
                    </td>
                  </tr>
                ))}
              </tbody>
              <tfoot>
                <tr>
                  <th scope="row">all</th>
                  <td class="number">{Format.bytes(value.files.reduce((sum, { bytes }) => sum + bytes, 0))}</td>
                </tr>
              </tfoot>
            </table>
          )}
        </>
      )}
    </section>
  )
}
