import { expect, it } from 'vitest'
import { terminalSvg } from '../../scripts/pictures/terminal-svg.mjs'

const piece = (text: string, x = 0) => ({ x, text, style: { color: 2, bold: true, dim: false } })
const size = { columns: 20, rows: 2, title: 'a <recording>' }

it('writes a line that several frames show once, and shows each frame at its time', () => {
  const frames = [
    { atMs: 0, rows: [[piece('steady')], [piece('<one> & two')]] },
    { atMs: 500, rows: [[piece('steady')], []] },
  ]
  const svg = terminalSvg({ ...size, frames, tailMs: 500 })
  expect(svg.match(/>steady</g)).toHaveLength(1)
  expect(svg.match(/href="#l0"/g)).toHaveLength(2)
  expect(svg).toContain('&#60;one&#62; &#38; two')
  expect(svg).toContain('50.00%{transform:translateY(-')
  expect(svg).toContain('animation:film 1.00s steps(1,end) infinite')
  expect(svg).toContain('a &#60;recording&#62;')
})
