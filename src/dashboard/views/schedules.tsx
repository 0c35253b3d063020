import { formatDuration } from '../../view/format.js'
import { agoText } from '../parts/ago.js'
import { Page, Quiet } from '../parts/page.js'
import { Line } from '../parts/said.js'
import { Health } from '../parts/shapes.js'
import * as api from '../store/api.js'
import { useFresh, useLive } from '../store/hooks.js'
import { providerHash } from '../store/route.js'

/** Planned health checks: what is overdue first, and why. */
export function Schedules() {
  const { fleet } = useLive()
  const asked = useFresh('schedules', { stamp: fleet.readAt, everyMs: 5_000, run: api.schedules })
  const rows = asked.value
  const overdue = rows?.filter((row) => row.overdue).length ?? 0
  return (
    <Page>
      <h1>Schedules</h1>
      {rows === undefined ? (
        <Quiet>{asked.problem?.message ?? 'Reading them.'}</Quiet>
      ) : rows.length === 0 ? (
        <Quiet>No provider has a probe.</Quiet>
      ) : (
        <>
          <p class={overdue === 0 ? 'lead' : 'lead warn'}>
            {overdue === 0
              ? 'No health check is overdue.'
              : `${overdue} of ${rows.length} health checks ${overdue === 1 ? 'is' : 'are'} overdue.`}
          </p>
          <Table rows={rows} />
        </>
      )}
    </Page>
  )
}

const Table = ({ rows }: { rows: readonly api.Schedule[] }) => (
  <div class="scroll" tabIndex={0} role="region" aria-label="Schedules">
    <table>
      <thead>
        <tr>
          <th scope="col">Provider</th>
          <th scope="col">Next</th>
          <th scope="col" class="extra">
            Every
          </th>
          <th scope="col" class="extra">
            Why
          </th>
          <th scope="col">Last</th>
          <th scope="col" class="extra">
            Queue
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <Row key={row.id} row={row} />
        ))}
      </tbody>
    </table>
  </div>
)

const HELD = { paused: 'its queue is paused', no_worker: 'no worker takes from its queue' } as const

function Row({ row }: { row: api.Schedule }) {
  return (
    <tr>
      <th scope="row">
        <a class="id" href={providerHash(row.id)}>
          <Line text={row.id} />
        </a>
      </th>
      <td class={row.overdue ? 'warn' : ''}>
        {nextText(row)}
        {row.held === null ? '' : `, ${HELD[row.held]}`}
      </td>
      <td class="number extra">{row.intervalMs === null ? '-' : formatDuration(row.intervalMs)}</td>
      <td class="extra">{row.why ?? '-'}</td>
      <td>
        {row.last === null ? (
          <span class="dim">none yet</span>
        ) : (
          <>
            <Health word={row.last.status} /> <span class="dim number">{agoText(row.last.agoMs)}</span>
          </>
        )}
      </td>
      <td class="extra">
        <Line text={row.queue ?? '-'} />
      </td>
    </tr>
  )
}

function nextText({ planned, lateMs, nextInMs, overdue }: api.Schedule): string {
  if (!planned) return 'overdue: no worker has planned it'
  const seconds = (ms: number) => formatDuration(Math.ceil(ms / 1_000) * 1_000)
  if (overdue) return `overdue${lateMs === null || lateMs < 1_000 ? '' : ` by ${seconds(lateMs)}`}`
  return nextInMs === null || nextInMs < 1_000 ? 'now' : `in ${seconds(nextInMs)}`
}
