import { formatExact } from '../../view/format.js'
import { agoText } from '../parts/ago.js'
import { Quiet } from '../parts/page.js'
import { Line } from '../parts/said.js'
import * as api from '../store/api.js'
import { useFresh, useLive } from '../store/hooks.js'

/** The processes of the fleet, whether they call anything or not. */
export function SeenWorkers() {
  const { fleet } = useLive()
  const asked = useFresh('workers', { stamp: fleet.readAt, everyMs: 5_000, run: api.workers })
  const { value } = asked
  return (
    <section>
      <h2>Processes</h2>
      {value === undefined ? (
        <Quiet>{asked.problem?.message ?? 'Reading them.'}</Quiet>
      ) : value.length === 0 ? (
        <Quiet>No worker was seen in the last ten minutes.</Quiet>
      ) : (
        <>
          <p class="dim">{formatExact(value.length)} were seen in the last ten minutes.</p>
          <Workers workers={value.slice(0, MOST)} />
          {value.length > MOST ? <Quiet>And {formatExact(value.length - MOST)} more.</Quiet> : null}
        </>
      )}
    </section>
  )
}

const MOST = 200

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
