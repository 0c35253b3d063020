import { useEffect, useRef } from 'preact/hooks'
import { shownText } from '../../view/action-words.js'
import type { ProviderView } from '../../view/provider-view.js'
import { HealthShape } from '../parts/shapes.js'
import { countStates, groupNames, STATES } from '../store/filter.js'
import { fleetHash, NO_FILTER, type Filter } from '../store/route.js'

interface FilterBarProps {
  readonly filter: Filter
  readonly views: readonly ProviderView[]
  /** How many are left. */
  readonly shown: number
}

/** Narrows the list. What is chosen is in the address, so that it can be sent to someone. */
export function FilterBar({ filter, views, shown }: FilterBarProps) {
  const counts = countStates(views)
  const groups = groupNames(views)
  // As many as any count can have: a chip keeps its width.
  const digits = Math.max(2, String(views.length).length)
  const set = (part: Partial<Filter>) => {
    history.replaceState(null, '', fleetHash({ ...filter, ...part }))
    dispatchEvent(new HashChangeEvent('hashchange'))
  }
  return (
    <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
      <Find text={filter.find} set={(find) => set({ find })} />
      {groups.length === 0 ? null : (
        <GroupChoice names={groups} chosen={filter.group} set={(group) => set({ group })} />
      )}
      <Shown text={shownText(shown, views.length)} />
      <div class="chips" role="group" aria-label="State">
        {STATES.map(([word]) => (
          <button
            type="button"
            key={word}
            class={`chip ${word}`}
            aria-pressed={filter.state === word}
            onClick={() => set({ state: filter.state === word ? '' : word })}
          >
            {SHAPED.has(word) ? <HealthShape word={word} /> : null}
            {word}{' '}
            <span
              class={counts.get(word) === 0 ? 'number zero' : 'number'}
              style={{ minWidth: `${digits}ch` }}
            >
              {String(counts.get(word))}
            </span>
          </button>
        ))}
      </div>
    </form>
  )
}

const Shown = ({ text }: { text: string }) => (
  <p class="shown" role="status">
    {text === '' ? null : (
      <>
        {text} <a href={fleetHash(NO_FILTER)}>Show all</a>
      </>
    )}
  </p>
)

const SHAPED: ReadonlySet<string> = new Set(['unhealthy', 'degraded', 'terminated', 'healthy'])

interface GroupChoiceProps {
  readonly names: readonly string[]
  readonly chosen: string
  readonly set: (group: string) => void
}

const GroupChoice = ({ names, chosen, set }: GroupChoiceProps) => (
  <select aria-label="Group" value={chosen} onChange={(event) => set(event.currentTarget.value)}>
    <option value="">all groups</option>
    {names.map((name) => (
      <option key={name} value={name}>
        {name}
      </option>
    ))}
  </select>
)

function Find({ text, set }: { text: string; set: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing =
        event.target instanceof Element && event.target.closest('input, textarea, select, dialog')
      if (event.key !== '/' || typing !== null || event.ctrlKey || event.metaKey) return
      event.preventDefault()
      input.current?.focus()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [])
  return (
    <input
      ref={input}
      type="search"
      aria-label="Find a provider"
      aria-keyshortcuts="/"
      placeholder="Find a provider  ( / )"
      maxLength={128}
      value={text}
      spellcheck={false}
      autocomplete="off"
      onInput={(event) => set(event.currentTarget.value)}
    />
  )
}
