import { useState } from 'preact/hooks'
import { clean } from '../../view/format.js'
import { cutText } from '../store/cut.js'

/**
 * Text from outside: an id, a reason, a detail. It is text whatever is in it, the direction of its letters ends with it, and a
 * long one is cut, the whole of it on demand.
 */
export function Said({ text, most = 240 }: { text: string; most?: number }) {
  const [whole, setWhole] = useState(false)
  const shown = clean(text)
  const cut = cutText(shown, most)
  if (cut === shown) return <bdi>{shown}</bdi>
  return (
    <>
      <bdi class={whole ? 'whole' : undefined}>{whole ? shown : cut}</bdi>{' '}
      <button type="button" class="link" aria-expanded={whole} onClick={() => setWhole(!whole)}>
        {whole ? 'show less' : `show all ${shown.length.toLocaleString('en')} characters`}
      </button>
    </>
  )
}

/** The same where there is room for one line: what is cut can be read elsewhere. */
export const Line = ({ text }: { text: string }) =>
  text === '' ? null : <bdi>{cutText(clean(text), 300)}</bdi>
