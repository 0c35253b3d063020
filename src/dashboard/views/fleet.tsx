import { useMemo, useRef } from 'preact/hooks'
import { AWAY_SENTENCE, refusingNames, refusingSentence } from '../../view/fleet-words.js'
import { pausedText } from '../../view/paused.js'
import { worstFirst } from '../../view/provider-list.js'
import type { ProviderView } from '../../view/provider-view.js'
import { List, useNarrow } from '../parts/list.js'
import { Page, Quiet } from '../parts/page.js'
import { Line } from '../parts/said.js'
import { HealthShape } from '../parts/shapes.js'
import { filterViews } from '../store/filter.js'
import { useLive, useNow } from '../store/hooks.js'
import type { Filter } from '../store/route.js'
import { viewAt } from '../store/view.js'
import { holdOrder } from '../store/windowing.js'
import { FilterBar } from './filter-bar.js'
import { HEADS, Row } from './fleet-row.js'

const ROW_PX = 56
const NARROW_ROW_PX = 104

/** Every provider, the worst first. */
export function Fleet({ filter }: { filter: Filter }) {
  const { fleet, views } = useLive()
  const shown = useMemo(() => filterViews(views, filter), [views, filter])
  if (!fleet.synced)
    return (
      <Page>
        <h1 class="strip">{fleet.storeLostAt === null ? 'Reading the fleet.' : AWAY_SENTENCE}</h1>
        <div class="ghosts" aria-hidden="true" />
      </Page>
    )
  return (
    <Page>
      <Strip />
      {views.length === 0 ? (
        <Quiet>
          A worker registers a provider with <code>await busbar.provider('openai')</code>. It is shown here at
          once.
        </Quiet>
      ) : (
        <>
          <FilterBar filter={filter} views={views} shown={shown.length} />
          <Rows views={shown} />
        </>
      )}
      <Unreadable />
    </Page>
  )
}

function Strip() {
  const { fleet, views } = useLive()
  const now = useNow()
  // What blocks calls runs out with time; the others are as they were.
  const aged = views.map((view) => {
    const received = fleet.providers.get(view.snapshot.id)
    return view.snapshot.blockedBy.length === 0 || received === undefined
      ? view
      : viewAt(received, now, fleet)
  })
  const paused = pausedText(fleet.pausedQueues)
  const [worst] = worstFirst(aged)
  return (
    <>
      <h1 class="strip">
        <HealthShape word={worst?.snapshot.health ?? ''} />
        <span class="words">
          <Line text={refusingSentence(aged)} />
        </span>
      </h1>
      <p class="strip-more">
        <Line text={refusingNames(aged)} />
      </p>
      {paused === '' ? null : (
        <p class="strip-more paused">
          <Line text={`${paused.charAt(0).toUpperCase()}${paused.slice(1)}.`} />
        </p>
      )}
    </>
  )
}

function Rows({ views }: { views: readonly ProviderView[] }) {
  const { fleet } = useLive()
  const now = useNow()
  const rowHeight = useNarrow() ? NARROW_ROW_PX : ROW_PX
  const pointing = useRef({ until: 0, order: [] as readonly string[] })
  const shown = useMemo(() => ordered(views, pointing.current), [views])
  const ids = shown.map(({ snapshot }) => snapshot.id)
  const hold = () => {
    pointing.current = { until: Date.now() + HOLD_MS, order: ids }
  }
  return (
    <div onPointerMove={hold} onPointerDown={hold}>
      <List
        label="Providers, the worst first"
        heads={HEADS}
        count={shown.length}
        rowHeight={rowHeight}
        keyOf={(at) => ids[at] ?? ''}
        row={(at) => {
          const received = fleet.providers.get(ids[at] ?? '')
          return received === undefined ? null : <Row view={viewAt(received, now, fleet)} now={now} />
        }}
      />
      {shown.length === 0 ? <Quiet>No provider is like this.</Quiet> : null}
    </div>
  )
}

/** A row does not move away under a pointer that moves. */
const HOLD_MS = 1_500

const ordered = (
  views: readonly ProviderView[],
  { until, order }: { readonly until: number; readonly order: readonly string[] },
): readonly ProviderView[] =>
  Date.now() < until ? holdOrder(views, order, ({ snapshot }) => snapshot.id) : views

function Unreadable() {
  const { fleet } = useLive()
  if (fleet.unreadable.length === 0) return null
  return (
    <section>
      <h2>Cannot be read</h2>
      <ul class="plain">
        {fleet.unreadable.map(({ id, why }) => (
          <li key={id}>
            <b>
              <Line text={id} />
            </b>{' '}
            <Line text={why} />
          </li>
        ))}
      </ul>
    </section>
  )
}
