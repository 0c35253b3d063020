import type { ComponentChildren } from 'preact'
import { explain, type Explanation } from '../../view/explain.js'
import { AWAY_SENTENCE } from '../../view/fleet-words.js'
import { foldReopenings } from '../../view/reopenings.js'
import type { ProviderView } from '../../view/provider-view.js'
import { retryText } from '../../view/status-table.js'
import { HistoryChart } from '../chart/history-chart.js'
import { Page, Quiet } from '../parts/page.js'
import { Said } from '../parts/said.js'
import { Circuit, Health } from '../parts/shapes.js'
import * as api from '../store/api.js'
import { useFresh, useLive, useNow } from '../store/hooks.js'
import { viewAt } from '../store/view.js'
import { Actions } from './actions.js'
import { Events } from './events.js'
import { Retry, Tags } from './fleet-row.js'
import { Rules } from './rules.js'
import { SettingsTable } from './settings.js'

const EVENTS = 200
const RUNS = 2_000

/** One provider: why it is as it is, until when, and what can be done. */
export function Provider({ id }: { id: string }) {
  const { fleet } = useLive()
  const now = useNow()
  const received = fleet.providers.get(id)
  const detail = useFresh(id, {
    stamp: (received?.closedTotal ?? 0) + (received?.resetTotal ?? 0),
    everyMs: 5_000,
    run: () => api.provider(id),
  })
  const known = received ?? detail.value
  if (known === undefined) return <Missing id={id} problem={detail.problem} />
  return <Shown view={viewAt(known, now, fleet)} now={now} detail={detail.value} />
}

function Missing({ id, problem }: { id: string; problem: api.Problem | undefined }) {
  const { fleet } = useLive()
  const away = fleet.storeLostAt !== null || problem?.code === 'redis_unavailable'
  const unknown = problem?.status === 404
  return (
    <Page>
      <Back />
      <h1>
        <Said text={id} />
      </h1>
      <Quiet>
        {unknown
          ? 'There is no provider of this name, or you may not see it.'
          : away
            ? AWAY_SENTENCE
            : (problem?.message ?? 'Reading it.')}
      </Quiet>
    </Page>
  )
}

const Back = () => (
  <p class="back">
    <a href="#/">‹ Fleet</a>
  </p>
)

interface ShownProps {
  readonly view: ProviderView
  readonly now: number
  readonly detail: api.ProviderDetail | undefined
}

function Shown({ view, now, detail }: ShownProps) {
  const { id, applied, version } = view.snapshot
  const { fleet } = useLive()
  const events = useFresh(id, { stamp: version, everyMs: 1_000, run: () => api.events(id, EVENTS) })
  const history = useFresh(id, { stamp: applied, everyMs: 5_000, run: () => api.history(id, RUNS) })
  const said = explain(view, events.value ?? [], detail?.outages ?? [], fleet.pausedQueues)
  return (
    <Page>
      <Back />
      <Head view={view} headline={said.headline} />
      <Actions view={view} />
      <div class="columns">
        <Why said={said} />
        <div>
          <Section title={view.snapshot.state === 'closed' ? 'Distance to opening' : 'What would close it'}>
            <Rules view={view} />
          </Section>
          <Section title="Outcomes">
            <HistoryChart view={view} now={now} history={history.value ?? []} events={events.value ?? []} />
          </Section>
        </div>
      </div>
      <Section title="Events">
        <Events
          listed={events.value === undefined ? undefined : foldReopenings(events.value)}
          problem={events.problem}
        />
      </Section>
      <Section title="Settings">
        <SettingsTable view={view} />
      </Section>
    </Page>
  )
}

const Section = ({ title, children }: { title: string; children: ComponentChildren }) => (
  <section>
    <h2>{title}</h2>
    {children}
  </section>
)

const Head = ({ view, headline }: { view: ProviderView; headline: string }) => (
  <header class="provider">
    <h1>
      <Said text={view.snapshot.id} />
    </h1>
    <p class="states">
      <Health word={view.snapshot.health} />
      <Circuit state={view.snapshot.state} />
      <Retry text={retryText(view)} />
      <Tags view={view} />
    </p>
    <p class="headline">
      <Said text={headline} most={600} />
    </p>
  </header>
)

const Why = ({ said }: { said: Explanation }) => (
  <Section title="How it is">
    <dl class="why">
      {said.sentences.map(({ topic, text }) => (
        <div key={topic}>
          <dt>{topic}</dt>
          <dd>
            <Said text={text} most={480} />
          </dd>
        </div>
      ))}
    </dl>
  </Section>
)
