import { formatExact } from '../../view/format.js'
import { groupsOf, type GroupView } from '../../view/group-view.js'
import type { ProviderView } from '../../view/provider-view.js'
import { retryText } from '../../view/status-table.js'
import { Page, Quiet } from '../parts/page.js'
import { Line } from '../parts/said.js'
import { GroupState, Health } from '../parts/shapes.js'
import { useLive, useNow } from '../store/hooks.js'
import { fleetHash, NO_FILTER, providerHash } from '../store/route.js'
import { viewAt } from '../store/view.js'

/** Groups of providers of which any can take a call, the worst first. */
export function Groups() {
  const { fleet, views } = useLive()
  const now = useNow()
  const aged = views.map((view) => {
    const received = fleet.providers.get(view.snapshot.id)
    return received === undefined ? view : viewAt(received, now, fleet)
  })
  const groups = groupsOf(aged)
  return (
    <Page>
      <h1>Groups</h1>
      {groups.length === 0 ? (
        <Quiet>{fleet.synced ? 'No provider names a group in its settings.' : 'Reading the fleet.'}</Quiet>
      ) : null}
      {[...groups].sort(worse).map((group) => (
        <Group key={group.name} group={group} views={aged} />
      ))}
    </Page>
  )
}

const RANK = { exhausted: 0, degraded: 1, ok: 2 } as const
const worse = (a: GroupView, b: GroupView): number => RANK[a.health] - RANK[b.health]

function Group({ group, views }: { group: GroupView; views: readonly ProviderView[] }) {
  const { name, health, members, admissible } = group
  const own = views
    .filter(({ snapshot }) => snapshot.group === name)
    .sort((a, b) => (a.settings.priority ?? 0) - (b.settings.priority ?? 0))
  return (
    <section class="group">
      <h2>
        <a href={fleetHash({ ...NO_FILTER, group: name })}>
          <Line text={name} />
        </a>{' '}
        <GroupState health={health} />{' '}
        <span class="dim number">
          {formatExact(admissible.length)} of {formatExact(members.length)} take calls
        </span>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">Health</th>
            <th scope="col">Takes calls</th>
            <th scope="col" class="right extra">
              Priority
            </th>
            <th scope="col" class="right extra">
              Weight
            </th>
          </tr>
        </thead>
        <tbody>
          {own.map((view) => (
            <Member key={view.snapshot.id} view={view} takes={admissible.includes(view.snapshot.id)} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Member({ view, takes }: { view: ProviderView; takes: boolean }) {
  const { snapshot, settings } = view
  const retry = retryText(view)
  return (
    <tr>
      <th scope="row">
        <a class="id" href={providerHash(snapshot.id)}>
          <Line text={snapshot.id} />
        </a>
      </th>
      <td>
        <Health word={snapshot.health} />
      </td>
      <td class="number">
        {takes ? 'yes' : retry === '-' ? 'no' : `no, ${/\d/.test(retry) ? 'for ' : ''}${retry}`}
      </td>
      <td class="number right extra">{settings.priority ?? 0}</td>
      <td class="number right extra">{settings.weight ?? 1}</td>
    </tr>
  )
}
