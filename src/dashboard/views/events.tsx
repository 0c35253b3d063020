import { useState } from 'preact/hooks'
import type { ProviderEvent } from '../../model/events.js'
import { eventWords } from '../../view/event-words.js'
import { formatTime, plural } from '../../view/format.js'
import { madeBy } from '../../view/provider-view.js'
import type { ListedEvent } from '../../view/reopenings.js'
import { Quiet } from '../parts/page.js'
import { Said } from '../parts/said.js'
import type { Problem } from '../store/api.js'
import { toneOf } from '../chart/event-tone.js'

const FIRST = 20

/** Events of a provider, the newest first. `listed`: oldest first; undefined: not read yet. */
export function Events({
  listed,
  problem,
}: {
  listed: readonly ListedEvent[] | undefined
  problem: Problem | undefined
}) {
  const [all, setAll] = useState(false)
  if (listed === undefined) return <Quiet>{problem?.message ?? 'Reading them.'}</Quiet>
  const shown = [...listed].reverse().slice(0, all ? undefined : FIRST)
  return (
    <>
      <ol class="plain events" reversed>
        {shown.map((each) => (
          <EventRow key={`${each.event.version} ${each.event.kind}`} {...each} />
        ))}
      </ol>
      {listed.length > FIRST && !all ? (
        <button type="button" onClick={() => setAll(true)}>
          Show all {listed.length}
        </button>
      ) : null}
    </>
  )
}

function EventRow({ event, reopened }: ListedEvent) {
  const { at, kind, reason }: ProviderEvent = event
  return (
    <li>
      <span class="dim number time">{formatTime(at)}</span>
      <span class={`event ${toneOf(kind)}`}>
        <Said text={eventWords(event)} />
        {reopened === undefined ? null : (
          <span class="dim">
            , {plural(reopened.times, 'time')} since {formatTime(reopened.since)}
          </span>
        )}
      </span>
      <span class="by">
        <Said text={madeBy(event)} most={64} />
      </span>
      <span class="dim reason">{reason === kind ? null : <Said text={reason} />}</span>
    </li>
  )
}
