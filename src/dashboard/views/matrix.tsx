import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { countedText } from '../../view/matrix-words.js'
import { Page, Quiet } from '../parts/page.js'
import { Line } from '../parts/said.js'
import { HealthShape } from '../parts/shapes.js'
import * as api from '../store/api.js'
import { cutMatrix } from '../store/matrix-cut.js'
import { usePolled } from '../store/polled.js'
import { MatrixTable } from './matrix-table.js'
import { SeenWorkers } from './seen-workers.js'

/** While this is shown, batches count the calls of each worker; see lua/view.lua. */
export function Matrix() {
  const { value, problem } = usePolled(api.matrix, (answer) =>
    Math.max(LEAST_PAUSE_MS, answer?.nextInMs ?? 0),
  )
  const waiting = value === undefined || isBeginning(value)
  return (
    <Page>
      {value === undefined ? (
        <>
          <h1 class="strip">Workers</h1>
          <Quiet>{problem?.message ?? 'Reading what the workers tell.'}</Quiet>
          <div class="ghosts" aria-hidden="true" />
        </>
      ) : (
        <Answer answer={value} problem={problem?.message} />
      )}
      {/* Below a table that is about to grow it would be pushed away. */}
      {waiting && problem === undefined ? null : <SeenWorkers />}
    </Page>
  )
}

const LEAST_PAUSE_MS = 3_000
/** So long after the begin of the counting an empty table is no news. */
const BEGINNING_MS = 10_000
const isBeginning = ({ countedForMs }: api.MatrixAnswer) => countedForMs < BEGINNING_MS

function Answer({ answer, problem }: { answer: api.MatrixAnswer; problem: string | undefined }) {
  const [find, setFind] = useState('')
  const [quiet, setQuiet] = useState(false)
  const [first = '', ...more] = answer.sentences
  const verdicts = [...answer.workers, ...answer.providers].map(({ verdict }) => verdict)
  const how = verdicts.includes('bad') ? 'unhealthy' : verdicts.includes('failing') ? 'degraded' : 'healthy'
  const cut = cutMatrix(answer, { find, quiet })
  return (
    <>
      <h1 class="strip">
        <HealthShape word={how} />
        <span class="words">
          <Line text={first} />
        </span>
      </h1>
      <div class="stands-out" role="region" aria-label="What stands out" tabIndex={0}>
        <div role="status">
          {more.map((sentence) => (
            <p key={sentence}>
              <Line text={sentence} />
            </p>
          ))}
        </div>
      </div>
      <Narrow {...{ find, setFind, quiet, setQuiet }} all={cut.workers.quiet + cut.providers.quiet === 0}>
        <p class={`counted ${problem === undefined ? 'dim' : 'warn'}`}>
          {problem === undefined ? countedText(answer) : `What is shown is old: ${problem}.`}
        </p>
      </Narrow>
      <MatrixTable cut={cut} waiting={isBeginning(answer)} />
    </>
  )
}

interface NarrowProps {
  readonly find: string
  readonly setFind: (find: string) => void
  readonly quiet: boolean
  readonly setQuiet: (quiet: boolean) => void
  /** Whether none is left out for having no failures. */
  readonly all: boolean
  readonly children: ComponentChildren
}

const Narrow = ({ find, setFind, quiet, setQuiet, all, children }: NarrowProps) => (
  <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
    <input
      type="search"
      aria-label="Find a worker or a provider"
      placeholder="Find a worker or a provider"
      maxLength={128}
      spellcheck={false}
      autocomplete="off"
      value={find}
      onInput={(event) => setFind(event.currentTarget.value)}
    />
    <button
      type="button"
      class="chip"
      aria-pressed={quiet}
      disabled={all && !quiet}
      onClick={() => setQuiet(!quiet)}
    >
      also those without failures
    </button>
    {children}
  </form>
)
