import * as v from 'valibot'
import type { JsonCondition } from '../../model/probe.js'
import { bool, text } from '../fields.js'
import { listOf, object } from '../objects.js'
import { settled } from './common.js'
import { MAX_PATH_DEPTH, parseJsonPath } from './json-path.js'

/** Conditions on the JSON of an answer: declarative, and bounded in number, depth and size. */

const MAX_CONDITIONS = 20
const MAX_VALUES = 50
const MAX_TEXT = 512

const PATH_ERROR = `expected a path of at most ${MAX_PATH_DEPTH} names and indexes, such as $.status or checks[0].state`
const path = v.pipe(
  text(MAX_TEXT),
  v.check((value) => parseJsonPath(value) !== undefined, PATH_ERROR),
)

const finite = (error: string) => v.pipe(v.number(error), v.finite(error))

const SCALAR_ERROR = `expected text of at most ${MAX_TEXT} characters, a number, true, false or null`
const scalar = v.union([text(MAX_TEXT), finite(SCALAR_ERROR), v.boolean(), v.null()], SCALAR_ERROR)
const LIST_ERROR = `expected a list of 1 to ${MAX_VALUES} values`
const limit = () => finite('expected a number')

const OPERATORS = ['equals', 'oneOf', 'above', 'below', 'exists'] as const

const condition = v.pipe(
  object(
    {
      path,
      equals: v.optional(scalar),
      oneOf: v.optional(listOf(scalar, MAX_VALUES, LIST_ERROR)),
      above: v.optional(limit()),
      below: v.optional(limit()),
      exists: v.optional(bool()),
    },
    'expected an object with path',
  ),
  v.check(
    (given) => OPERATORS.filter((operator) => given[operator] !== undefined).length === 1,
    `expected exactly one of ${OPERATORS.join(', ')} beside path`,
  ),
  v.transform((given): JsonCondition => settled(given)),
)

const COUNT_ERROR = `expected a list of 1 to ${MAX_CONDITIONS} conditions`

export const jsonConditions = listOf(condition, MAX_CONDITIONS, COUNT_ERROR)
