import * as Format from "./Format.ts"
import { Ago } from "./Time.tsx"
import type * as Wire from "./Wire.ts"

/** Who is alive, and what runs where. */
export const NodesView = ({ nodes }: { readonly nodes: ReadonlyArray<Wire.Node> | undefined }) => (
  <section aria-labelledby="nodes">
    <div class="view-head">
      <h1 id="nodes">Nodes</h1>
      <p class="note">The processes that share the queue.</p>
    </div>
    <div class="scroll" tabIndex={0} role="region" aria-label="Nodes">
      <table>
        <thead>
          <tr>
            <th scope="col">node</th>
            <th scope="col">state</th>
            <th scope="col" class="number">
              running
            </th>
            <th scope="col">version</th>
            <th scope="col">started</th>
            <th scope="col">lease</th>
          </tr>
        </thead>
        <tbody>
          {nodes?.map(({ alive, concurrency, expires_at, id, leads, name, running, started_at, version }) => (
            <tr key={id}>
              <th scope="row" title={id}>
                {name} {leads ? <span class="mark">leads</span> : null}
              </th>
              <td>{alive ? "alive" : <b class="bad">dead</b>}</td>
              <td class="number">
                {Format.count(running)} of {Format.count(concurrency)}
              </td>
              <td>{version}</td>
              <td>
                <Ago at={started_at} />
              </td>
              <td>
                {expires_at === null ? (
                  "–"
                ) : (
                  <>
                    {alive ? "ends " : "ended "}
                    <Ago at={expires_at} />
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  </section>
)
