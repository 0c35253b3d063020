import { formatCount } from '../../view/format.js'
import { agoText } from '../parts/ago.js'
import { Page, Quiet } from '../parts/page.js'
import { Line } from '../parts/said.js'
import * as api from '../store/api.js'
import { useFresh, useLive } from '../store/hooks.js'

/** The processes of the fleet. */
export function Matrix() {
  const { fleet } = useLive()
  const asked = useFresh('workers', { stamp: fleet.readAt, everyMs: 5_000, run: api.workers })
  const { value } = asked
  if (value === undefined || value.length === 0) {
    const why =
      value === undefined
        ? (asked.problem?.message ?? 'Reading them.')
        : 'No worker was seen in the last ten minutes.'
    return (
      <Page>
        <h1>Workers</h1>
        <Quiet>{why}</Quiet>
      </Page>
    )
  }
  return (
    <Page>
      <h1>Workers</h1>
      <p class="lead">{formatCount(value.length)} were seen in the last ten minutes.</p>
      <Workers workers={value} />
    </Page>
  )
}

const Workers = ({ workers }: { workers: readonly api.Worker[] }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">Worker</th>
        <th scope="col">Failure domain</th>
        <th scope="col">Last seen</th>
      </tr>
    </thead>
    <tbody>
      {workers.map(({ id, domain, lastSeenAgoMs }) => (
        <tr key={id}>
          <th scope="row">
            <Line text={id} />
          </th>
          <td>
            <Line text={domain ?? '-'} />
          </td>
          <td class="number">{agoText(lastSeenAgoMs)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)
