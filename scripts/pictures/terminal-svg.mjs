// Frames of a terminal as one SVG that plays them. It has no script, so that a page may show it as an image; where motion is
// not wanted it shows the last frame.

const FONT = { size: 14, width: 8.43, line: 19 }
const PAD = 16
const BAR = 30
const INK = '#d5dae1'
const GROUND = '#14181f'
/** The 16 colours of a terminal. */
const COLORS = [
  ...['#5c6773', '#ff7b72', '#7ee787', '#e3b341', '#79c0ff', '#d2a8ff', '#76e3ea', INK],
  ...['#8b949e', '#ffa198', '#a5f3b0', '#f2cc60', '#a5d6ff', '#e2c5ff', '#b3f0ff', '#ffffff'],
]

/** `tail`: how long the last frame stays, ms, before it begins anew. */
export function terminalSvg({ frames, columns, rows, title, tailMs = 2_000 }) {
  const [width, height] = [Math.ceil(columns * FONT.width + 2 * PAD), rows * FONT.line + 2 * PAD + BAR]
  const endMs = (frames.at(-1)?.atMs ?? 0) + tailMs
  const lines = new Lines()
  const films = frames.map(({ rows: screen }) => film(screen, lines))
  const shares = frames.map(({ atMs }) => ((100 * atMs) / endMs).toFixed(2))
  const steps = shares.map((share, i) => `${share}%{transform:translateY(${-i * height}px)}`).join('')
  const last = -(frames.length - 1) * height
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t">
<title id="t">${escape(title)}</title>
<style>
text{font:${FONT.size}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${INK};white-space:pre}
.b{font-weight:700}.d{opacity:.6}
${COLORS.map((color, i) => `.c${i}{fill:${color}}`).join('')}
@keyframes film{${steps}}
.film{transform:translateY(${last}px);animation:film ${(endMs / 1_000).toFixed(2)}s steps(1,end) infinite}
@media (prefers-reduced-motion:reduce){.film{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="${GROUND}"/>
<g fill="#3b4350"><circle cx="20" cy="17" r="5"/><circle cx="38" cy="17" r="5"/><circle cx="56" cy="17" r="5"/></g>
<clipPath id="screen"><rect y="${BAR}" width="${width}" height="${height - BAR}"/></clipPath>
<defs>
${lines.defined.join('\n')}
</defs>
<g clip-path="url(#screen)"><g class="film">
${films.map((uses, i) => `<g transform="translate(${PAD} ${i * height + BAR + PAD})">${uses}</g>`).join('\n')}
</g></g>
</svg>
`
}

const film = (screen, lines) =>
  screen
    .map((pieces, y) =>
      pieces.length === 0 ? '' : `<use href="#${lines.idOf(pieces)}" y="${y * FONT.line}"/>`,
    )
    .join('')

/** A line that several frames show is written once. */
class Lines {
  defined = []
  #ids = new Map()

  idOf(pieces) {
    const drawn = pieces.map(drawPiece).join('')
    let id = this.#ids.get(drawn)
    if (id === undefined) {
      id = `l${this.defined.length}`
      this.#ids.set(drawn, id)
      this.defined.push(`<g id="${id}">${drawn}</g>`)
    }
    return id
  }
}

/** `textLength` keeps the columns, whatever font there is. */
function drawPiece({ x, text, style }) {
  const classes = [
    style.color === null ? [] : `c${style.color}`,
    style.bold ? 'b' : [],
    style.dim ? 'd' : [],
  ].flat()
  const length = ([...text].length * FONT.width).toFixed(1)
  const at = `x="${(x * FONT.width).toFixed(1)}" y="${FONT.size}" textLength="${length}"`
  return `<text ${at}${classes.length === 0 ? '' : ` class="${classes.join(' ')}"`} xml:space="preserve">${escape(text)}</text>`
}

const escape = (text) => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)
