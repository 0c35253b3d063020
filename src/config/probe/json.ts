import type { JsonCondition, JsonScalar } from '../../model/probe.js'
import { bool, isNumber, text } from '../fields.js'
import { custom, list, object, optional, Problem, refine, type Schema } from '../schema.js'
import { MAX_PATH_DEPTH, parseJsonPath } from './json-path.js'

/** Conditions on the JSON of an answer: declarative, and bounded in number, depth and size. */

const MAX_CONDITIONS = 20
const MAX_VALUES = 50
const MAX_TEXT = 512

const PATH_ERROR = `expected a path of at most ${MAX_PATH_DEPTH} names and indexes, such as $.status or checks[0].state`
const path = refine(text(MAX_TEXT), (value) => {
  if (parseJsonPath(value) === undefined) throw new Problem(PATH_ERROR)
  return value
})

const SCALAR_ERROR = `expected text of at most ${MAX_TEXT} characters, a number, true, false or null`
const plain = custom(
  (value): value is JsonScalar =>
    value === null ||
    typeof value === 'boolean' ||
    isNumber(value) ||
    (typeof value === 'string' && value.length <= MAX_TEXT),
  SCALAR_ERROR,
)
const scalar = refine(plain, (value) => (typeof value === 'string' ? value.toWellFormed() : value))
const LIST_ERROR = `expected a list of 1 to ${MAX_VALUES} values`
const limit = custom(isNumber, 'expected a number')

const OPERATORS = ['equals', 'oneOf', 'above', 'below', 'exists'] as const

const condition: Schema<JsonCondition> = refine(
  object(
    {
      path,
      equals: optional(scalar),
      oneOf: optional(list(scalar, [1, MAX_VALUES], LIST_ERROR)),
      above: optional(limit),
      below: optional(limit),
      exists: optional(bool()),
    },
    'expected an object with path',
  ),
  (given) => {
    if (OPERATORS.filter((operator) => given[operator] !== undefined).length === 1) return given
    throw new Problem(`expected exactly one of ${OPERATORS.join(', ')} beside path`)
  },
)

const COUNT_ERROR = `expected a list of 1 to ${MAX_CONDITIONS} conditions`

export const jsonConditions = list(condition, [1, MAX_CONDITIONS], COUNT_ERROR)
