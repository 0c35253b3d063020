import type { SettingChange, SettingsPlan } from '../index.js'
import { clean } from './format.js'
import type { Paints } from './paint.js'

/** The effect of applying settings to one provider: a line on the whole, then one per setting, old and new. */
export function planLines(plan: SettingsPlan, paints: Paints): string[] {
  const { id, setBy, pinned, changes } = plan
  const width = Math.max(0, ...changes.map(({ path }) => path.length))
  return [
    `${paints.bold(id)}: ${headline(setBy, pinned, changes.length)}`,
    ...changes.map((change) => `  ${clean(change.path).padEnd(width)}  ${changeText(change, paints)}`),
  ]
}

function headline(setBy: string | null, pinned: boolean, changes: number): string {
  if (setBy === null) return changes === 0 ? 'new, with the defaults' : 'new, with the defaults but for'
  const by = clean(setBy)
  if (changes > 0) return `replaces the settings that ${by} ${pinned ? 'applied' : 'set'}`
  return pinned
    ? `nothing to change; ${by} applied these`
    : `the settings that ${by} set; they will outrank code`
}

const NONE = '-'

function changeText({ from, to }: SettingChange, paints: Paints): string {
  const [before, after] = [clean(from ?? NONE), clean(to ?? NONE)]
  const hidden = before === after ? ' (another value)' : ''
  return `${paints.red(before)} -> ${paints.green(after)}${hidden}`
}
