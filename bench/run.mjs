// `npm run bench [-- p1 p5 ...]`: runs the benchmarks one after the other, prints the table, writes results.json.
import { readdir, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import Table from 'cli-table3'

const folder = new URL('.', import.meta.url)

const benches = (await readdir(folder))
  .map((file) => ({ file, name: /^(p\d+)-.*\.mjs$/.exec(file)?.[1] }))
  .filter(({ name }) => name !== undefined)
  .sort((a, b) => Number(a.name.slice(1)) - Number(b.name.slice(1)))

const wanted = process.argv.slice(2).map((name) => name.toLowerCase())
const unknown = wanted.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${benches.map(({ name }) => name).join(', ')}`)
  process.exit(64)
}

const rows = []
for (const { file, name } of benches) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const began = performance.now()
  const { run } = await import(new URL(file, folder).href)
  const found = await run()
  rows.push(...found)
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.error(`${name}: ${targetsMet(found)}, ${seconds} s`)
}

console.log(table(rows))
console.log(targetsMet(rows))
// A part would pass for the whole.
if (wanted.length === 0) {
  await writeFile(new URL('results.json', folder), `${JSON.stringify(results(rows), null, 2)}\n`)
}

/** A row without a target is told for comparison. */
function targetsMet(rows) {
  const withTarget = rows.filter(({ target }) => target !== undefined)
  return `${withTarget.filter(({ met }) => met).length} of ${withTarget.length} targets met`
}

function table(rows) {
  const plain = { head: [], border: [] }
  const head = ['', 'what', 'ours', 'peer or limit', 'ratio', 'target', 'met', 'note']
  const table = new Table({
    head,
    style: plain,
    colWidths: [null, 44, null, null, null, null, null, 44],
    wordWrap: true,
  })
  for (const { id, what, ours, peer, unit, ratio, target, better, met, note } of rows) {
    const sign = better === 'at most' ? '<=' : '>='
    const judged = target === undefined ? ['', ''] : [`${sign} ${target}`, met ? 'yes' : 'NO']
    const numbers = [`${figure(ours)} ${unit}`, `${figure(peer)} ${unit}`, figure(ratio)]
    table.push([id, what, ...numbers, ...judged, note])
  }
  return table.toString()
}

/** Three digits are as many as a figure of one run deserves. */
function figure(value) {
  if (value >= 1_000) return Math.round(value).toLocaleString('en').replaceAll(',', ' ')
  return `${Number(value.toPrecision(3))}`
}

function results(rows) {
  const [cpu] = cpus()
  return { at: new Date().toISOString(), node: process.version, cpu: cpu?.model, cores: cpus().length, rows }
}
