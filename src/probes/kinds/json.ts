import { parseJsonPath } from '../../config/probe/json-path.js'
import { show } from '../../config/show.js'
import type { JsonCondition } from '../../model/probe.js'

/** What is wrong with the body, in words; undefined when all conditions hold. */
export function judgeJson(bytes: Buffer, conditions: readonly JsonCondition[]): string | undefined {
  let document: unknown
  try {
    // It leaves out a mark at the beginning (BOM), which many programs write and JSON.parse refuses.
    document = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return 'the body is not JSON'
  }
  for (const condition of conditions) {
    const found = dig(document, condition.path)
    const expected = miss(condition, found)
    if (expected !== undefined) return `${condition.path} is ${show(found)}, expected ${expected}`
  }
  return undefined
}

/** Own properties only, so that a path cannot leave the document; undefined where there is nothing. */
function dig(document: unknown, path: string): unknown {
  let found = document
  for (const step of parseJsonPath(path) ?? []) {
    if (typeof found !== 'object' || found === null) return undefined
    // An index is for lists, and a name is not: a list's length is no value of the document.
    if (Array.isArray(found) !== (typeof step === 'number') || !Object.hasOwn(found, step)) return undefined
    found = Reflect.get(found, step)
  }
  return found
}

/** What the condition wanted, where it did not get it. JSON has no undefined, so that means: not there. */
function miss({ equals, oneOf, above, below, exists }: JsonCondition, found: unknown): string | undefined {
  if (exists !== undefined)
    return (found !== undefined) === exists ? undefined : exists ? 'a value' : 'nothing'
  if (equals !== undefined) return found === equals ? undefined : show(equals)
  if (oneOf !== undefined) return oneOf.some((value) => value === found) ? undefined : `one of ${show(oneOf)}`
  if (above !== undefined) return typeof found === 'number' && found > above ? undefined : `above ${above}`
  if (below !== undefined) return typeof found === 'number' && found < below ? undefined : `below ${below}`
  return undefined
}
