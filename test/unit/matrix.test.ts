import { describe, expect, it } from 'vitest'
import { matrixSentences } from '../../src/view/matrix-words.js'
import { MAX_MATRIX_CELLS, matrixOf, type MatrixSource } from '../../src/view/matrix.js'

/** `rows`: of each worker, at each provider, failures / calls / failures in a row; `-` for none. */
function sources(rows: Readonly<Record<string, string>>, over: Partial<MatrixSource>[] = []): MatrixSource[] {
  const columns = Object.values(rows)[0]?.split(' ').length ?? 0
  return Array.from({ length: columns }, (_, at) => ({
    id: `p${at + 1}`,
    state: 'closed' as const,
    enforce: true,
    suspects: [],
    byWorker: {
      countedForMs: 45_000,
      others: null,
      workers: Object.entries(rows).flatMap(([worker, row]) => {
        const cell = row.split(' ')[at] ?? '-'
        const [failures = 0, calls = 0, inARow = 0] = cell.split('/').map(Number)
        return cell === '-' ? [] : [{ worker, calls, failures, inARow, lastAgoMs: 100 }]
      }),
    },
    ...over[at],
  }))
}

const said = (rows: Readonly<Record<string, string>>, over: Partial<MatrixSource>[] = []) =>
  matrixSentences(matrixOf(sources(rows, over)))

describe('the matrix of workers and providers', () => {
  it('says that nothing stands out, a few failures included', () => {
    expect(said({ a: '0/40 1/30', b: '0/40 -' })).toEqual([
      'No worker and no provider stands out: 110 calls of 2 workers at 2 providers in the last 45s.',
    ])
    expect(said({}, [])).toEqual(['No call has ended since counting began 0.0s ago.'])
  })

  it('names a bad worker by its row', () => {
    const rows = { 'worker-3': '9/9 8/8 7/7 9/9', a: '0/9 0/9 0/9 0/9', b: '0/9 1/9 - 0/9' }
    expect(said(rows)).toEqual(['worker-3 fails at 4 of 4 providers: a bad worker.'])
    const { workers, providers } = matrixOf(sources(rows))
    expect(workers.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['worker-3', 'bad'],
      ['b', 'ok'],
      ['a', 'ok'],
    ])
    expect(providers.map(({ verdict }) => verdict)).toEqual(['failing', 'failing', 'failing', 'failing'])
  })

  it('names a bad provider by its column, and does not blame the workers for it', () => {
    const rows = Object.fromEntries(
      Array.from({ length: 10 }, (_, i) => [`w${i}`, i < 9 ? '5/5 0/5' : '0/1 0/5']),
    )
    expect(said(rows)).toEqual(['p1 fails in 9 of 10 workers: a bad provider.'])
    expect(said(rows, [{ state: 'open' }])).toEqual(['p1 fails in 9 of 10 workers: a bad provider (open).'])
  })

  it('sees a provider that was opened long before most of its calls could fail', () => {
    const rows = { a: '1/300/1 0/9', b: '1/290/1 0/9', c: '0/310 0/9', d: '0/300 0/9' }
    expect(said(rows, [{ state: 'open' }])).toEqual(['p1 fails in 2 of 4 workers: a bad provider (open).'])
    // Calls go on where nothing is refused.
    expect(said(rows, [{ state: 'open', enforce: false }])[0]).toContain(
      'No worker and no provider stands out',
    )
    // Closed, one failure at the end is chance; three are not.
    expect(said(rows)[0]).toContain('No worker and no provider stands out')
    expect(said({ a: '3/300/3 0/9 0/9', b: '0/300 0/9 0/9' })).toEqual([
      'a fails at p1, and 1 other worker does not.',
    ])
  })

  it('sees the one worker that opened every circuit', () => {
    const open = { state: 'open' } as const
    expect(said({ bad: '3/90/3 3/80/3', a: '0/90 0/80', b: '0/90 0/80' }, [open, open])).toEqual([
      'bad fails at 2 of 2 providers: a bad worker.',
    ])
  })

  it('tells both apart where they cross', () => {
    const rows = { bad: '5/5 5/5 5/5', a: '5/5 0/5 0/5', b: '5/5 0/5 0/5' }
    expect(said(rows)).toEqual([
      'bad fails at 2 of 2 providers that answer other workers: a bad worker.',
      'p1 fails in 3 of 3 workers: a bad provider.',
    ])
  })

  it('looks at what the workers share where nearly all fails', () => {
    expect(said({ a: '5/5 5/5 0/5', b: '5/5 5/5 0/5' })[0]).toBe(
      '2 of 3 providers fail in most workers: look first at what the workers share, such as their network.',
    )
  })

  it('names the one pair that fails alone, and a suspect even without a call', () => {
    expect(said({ a: '4/4 0/9 0/9', b: '0/9 0/9 0/9' })).toEqual([
      'a fails at p1, and 1 other worker does not.',
    ])
    expect(said({ a: '- 0/9', b: '0/9 0/9' }, [{ suspects: ['a'] }])).toEqual([
      'a fails at p1, and 1 other worker does not: it fails alone.',
    ])
    // Two failures by chance are no sentence.
    expect(said({ a: '2/2 0/9 0/9', b: '0/9 0/9 0/9' })[0]).toContain('No worker and no provider stands out')
  })

  it('takes one provider for enough where the quorum suspects the worker', () => {
    expect(said({ a: '3/3', b: '0/9', c: '0/9' }, [{ suspects: ['a'] }])).toEqual([
      'a fails at 1 of 1 provider: a bad worker.',
    ])
  })

  it('says of an open provider that its column has trials alone', () => {
    expect(said({ a: '1/1 0/9', b: '- 0/9' }, [{ state: 'open' }])).toEqual([
      'p1 is open: its calls are refused, so no more than trials are counted here.',
    ])
  })

  it('tells of more than three of a kind as a number', () => {
    const rows = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`w${i + 10}`, i < 5 ? '5/5 5/5 5/5' : '0/5 0/5 0/5']),
    )
    expect(said(rows)).toHaveLength(4)
    expect(said(rows).at(-1)).toBe('So it is with 2 workers more.')
  })

  it('keeps the cells that fail where there are too many, and says how many were left out', () => {
    const row = (failing: boolean) => Array.from({ length: 60 }, () => (failing ? '3/3' : '0/3')).join(' ')
    const rows = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`w${i}`, row(i === 7)]))
    const { cells, omitted } = matrixOf(sources(rows), 4)
    expect(cells).toHaveLength(MAX_MATRIX_CELLS)
    expect(cells.filter(({ failing }) => failing)).toHaveLength(60)
    expect(omitted).toEqual({ workers: 0, providers: 4, cells: 1_000 })
  })
})
