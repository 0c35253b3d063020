import { useEffect, useRef, useState } from 'preact/hooks'
import type { Mark } from '../../model/words.js'
import { actionSentence, probedSentence, type Intent } from '../../view/action-words.js'
import type { ProviderView } from '../../view/provider-view.js'
import * as api from '../store/api.js'
import { useAsked } from '../store/hooks.js'
import { Line } from './said.js'

interface DialogProps {
  readonly action: api.Action
  readonly name: string
  readonly view: ProviderView
  /** `said`: what was done; empty where nothing was. */
  readonly onEnd: (said: string) => void
}

const HOUR = 3_600_000
const DURATIONS = [
  [15 * 60_000, '15 minutes'],
  [HOUR, '1 hour'],
  [4 * HOUR, '4 hours'],
  [24 * HOUR, '1 day'],
  [null, 'until released'],
] as const

const MARKS = ['unhealthy', 'degraded', 'terminated'] as const satisfies readonly Mark[]

/** Asks for a reason, says what will happen, and does it. Escape, and Cancel, do nothing; the focus goes back to where it was. */
export function ActionDialog({ action, name, view, onEnd }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [form, setForm] = useState<Form>({ reason: '', forMs: HOUR, mark: 'unhealthy' })
  const workers = useAsked('workers', api.workers)
  const said = useRef('')
  const { busy, problem, send } = useSend(view.snapshot.id, (done) => {
    said.current = done
    dialog.current?.close() // which gives the focus back
  })
  useEffect(() => dialog.current?.showModal(), [])
  const intent = intentOf(action, form)
  const submit = (event: Event) => {
    event.preventDefault()
    send(intent, form.reason)
  }
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={() => onEnd(said.current)}>
      <form onSubmit={submit}>
        <h2 id="dialog-title">
          {name} <Line text={view.snapshot.id} />
        </h2>
        <Fields action={action} form={form} set={(part) => setForm({ ...form, ...part })} />
        <p class="consequence">{actionSentence(intent, view, workers.value?.length)}</p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button class={action === 'trip' || action === 'mark' ? 'grave' : 'main'} disabled={busy}>
            {name}
          </button>
        </div>
      </form>
    </dialog>
  )
}

interface Form {
  readonly reason: string
  readonly forMs: number | null
  readonly mark: Mark
}

function intentOf(action: api.Action, { forMs, mark }: Form): Intent {
  switch (action) {
    case 'trip':
      return { action, forMs }
    case 'mark':
      return { action, forMs, mark }
    case 'reset':
    case 'resume':
    case 'probe':
      return { action }
    default:
      return action satisfies never
  }
}

interface FieldsProps {
  readonly action: api.Action
  readonly form: Form
  readonly set: (part: Partial<Form>) => void
}

function Fields({ action, form, set }: FieldsProps) {
  return (
    <>
      {action === 'mark' ? (
        <fieldset>
          <legend>As</legend>
          {MARKS.map((mark) => (
            <label key={mark}>
              <input type="radio" name="mark" checked={form.mark === mark} onChange={() => set({ mark })} />{' '}
              {mark}
            </label>
          ))}
        </fieldset>
      ) : null}
      <label class="field">
        Reason, for the journal
        <input
          type="text"
          required
          maxLength={500}
          pattern=".*\S.*"
          title="a few words"
          autocomplete="off"
          value={form.reason}
          onInput={(event) => set({ reason: event.currentTarget.value })}
        />
      </label>
      {action === 'trip' || action === 'mark' ? <Duration form={form} set={set} /> : null}
    </>
  )
}

const Duration = ({ form, set }: Pick<FieldsProps, 'form' | 'set'>) => (
  <label class="field">
    For
    <select
      value={String(form.forMs)}
      onChange={({ currentTarget: { value } }) => set({ forMs: value === 'null' ? null : Number(value) })}
    >
      {DURATIONS.map(([ms, name]) => (
        <option key={name} value={String(ms)}>
          {name}
        </option>
      ))}
    </select>
  </label>
)

function useSend(id: string, onDone: DialogProps['onEnd']) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const send = (intent: Intent, reason: string) => {
    const { action, ...how } = intent
    setBusy(true)
    setProblem('')
    api.act(id, action, { ...how, reason }).then(
      (answer) => {
        onDone(action === 'probe' ? probedSentence(answer as api.Probed) : `Done: ${action}.`)
      },
      // Requests reject with problems alone.
      (refused: unknown) => {
        setBusy(false)
        setProblem((refused as api.Problem).message)
      },
    )
  }
  return { busy, problem, send }
}
