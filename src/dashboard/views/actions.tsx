import { useState } from 'preact/hooks'
import type { ProviderView } from '../../view/provider-view.js'
import { ActionDialog } from '../parts/action-dialog.js'
import type { Action } from '../store/api.js'
import { useStores } from '../store/hooks.js'

const NAMES: Readonly<Record<Action, string>> = {
  trip: 'Trip',
  reset: 'Reset',
  mark: 'Mark',
  resume: 'Resume',
  probe: 'Probe now',
}

/** Whether it would change anything. */
const USEFUL: Readonly<Record<Action, (view: ProviderView) => boolean>> = {
  trip: () => true,
  reset: () => true,
  mark: () => true,
  resume: ({ snapshot }) => snapshot.mark !== null,
  probe: ({ settings }) => settings.probe !== undefined,
}

/** Buttons for the actions of this viewer: none where the page is read-only. */
export function Actions({ view }: { view: ProviderView }) {
  const { about } = useStores()
  const [asked, setAsked] = useState<Action>()
  const [done, setDone] = useState('')
  if (about.actions.length === 0) return null
  return (
    <div class="actions">
      {about.actions.map((action) => (
        <button
          type="button"
          key={action}
          disabled={!USEFUL[action](view)}
          onClick={() => {
            setDone('')
            setAsked(action)
          }}
        >
          {NAMES[action]}
        </button>
      ))}
      <p class="done" role="status">
        {done === '' ? null : done}
      </p>
      {asked === undefined ? null : (
        <ActionDialog
          action={asked}
          name={NAMES[asked]}
          view={view}
          onEnd={(said) => {
            setAsked(undefined)
            setDone(said)
          }}
        />
      )}
    </div>
  )
}
