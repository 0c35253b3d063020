import { useRef } from 'preact/hooks'
import type { MatrixCell, MatrixColumn, MatrixRow } from '../../view/matrix.js'
import { cellMark, cellText, leftOutText } from '../../view/matrix-words.js'
import { Line } from '../parts/said.js'
import { Circuit, HealthShape } from '../parts/shapes.js'
import { NOT_DRAWN, steady, type CutMatrix } from '../store/matrix-cut.js'
import { providerHash } from '../store/route.js'

/** A row is a worker, a column a provider: red is a bad one. `waiting`: the counting has just begun. */
export function MatrixTable({ cut, waiting }: { cut: CutMatrix; waiting: boolean }) {
  const drawn = useRef({ rows: NOT_DRAWN, columns: NOT_DRAWN })
  const rows = steady(cut.workers.shown, drawn.current.rows, waiting)
  const columns = steady(cut.providers.shown, drawn.current.columns, waiting)
  drawn.current = { rows: rows.drawn, columns: columns.drawn }
  const leftOut = [leftOutText(cut.workers, 'worker'), leftOutText(cut.providers, 'provider')].filter(
    (text) => text !== '',
  )
  return (
    <>
      <p class="shown" role="status">
        {leftOut.length === 0 ? null : leftOut.join(' ')}
      </p>
      {rows.items.length === 0 || columns.items.length === 0 ? (
        <div class={waiting ? 'ghosts' : ''} aria-hidden="true" />
      ) : (
        <div class="matrix" tabIndex={0} role="region" aria-label="Workers and providers">
          <table>
            <caption>Failed calls of each worker at each provider, the worst first.</caption>
            <Head columns={columns.items} />
            <tbody>
              {rows.items.map((row) => (
                <Row key={row.id} row={row} columns={columns.items} cellOf={cut.cellOf} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  )
}

const Head = ({ columns }: { columns: readonly MatrixColumn[] }) => (
  <thead>
    <tr>
      <td class="corner" />
      {columns.map(({ id, verdict, state, failing, met }) => (
        <th scope="col" key={id} class={verdict}>
          <a class="id" href={providerHash(id)} title={id}>
            <Line text={id} />
          </a>
          <span class="sum number">
            {failing} of {met} fail
          </span>
          {state === 'closed' ? null : <Circuit state={state} />}
        </th>
      ))}
    </tr>
  </thead>
)

interface RowProps {
  readonly row: MatrixRow
  readonly columns: readonly MatrixColumn[]
  readonly cellOf: CutMatrix['cellOf']
}

const Row = ({ row: { id, verdict, failing, met }, columns, cellOf }: RowProps) => (
  <tr>
    <th scope="row" class={verdict} title={id}>
      <span class="id">
        <Line text={id} />
      </span>
      <span class="sum number">
        {failing} of {met} fail
      </span>
    </th>
    {columns.map((column) => (
      <Cell key={column.id} cell={cellOf(id, column.id)} />
    ))}
  </tr>
)

const WORDS = { failing: 'unhealthy', some: 'degraded', none: 'healthy' } as const

/** By colour, shape and text. */
function Cell({ cell }: { cell: MatrixCell | undefined }) {
  if (cell === undefined) return <td class="uncalled">-</td>
  const mark = cellMark(cell)
  const text = cellText(cell)
  return (
    <td class={mark} title={text}>
      <HealthShape word={WORDS[mark]} />
      <span class="number" aria-hidden="true">
        {cell.calls === 0 ? 'suspect' : mark === 'none' ? cell.calls : `${cell.failures}/${cell.calls}`}
      </span>
      <span class="unseen">{text}</span>
    </td>
  )
}
