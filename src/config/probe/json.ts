import { z } from 'zod'
import type { JsonCondition } from '../../model/probe.js'
import { bool, text } from '../fields.js'
import { settled } from './common.js'
import { MAX_PATH_DEPTH, parseJsonPath } from './json-path.js'

/** Conditions on the JSON of an answer: declarative, and bounded in number, depth and size. */

const MAX_CONDITIONS = 20
const MAX_VALUES = 50
const MAX_TEXT = 512

const PATH_ERROR = `expected a path of at most ${MAX_PATH_DEPTH} names and indexes, such as $.status or checks[0].state`
const path = text(MAX_TEXT).refine((value) => parseJsonPath(value) !== undefined, { error: PATH_ERROR })

const SCALAR_ERROR = `expected text of at most ${MAX_TEXT} characters, a number, true, false or null`
const scalar = z.union([text(MAX_TEXT), z.number(), z.boolean(), z.null()], { error: SCALAR_ERROR })
const LIST_ERROR = `expected a list of 1 to ${MAX_VALUES} values`
const limit = () => z.number({ error: 'expected a number' })

const OPERATORS = ['equals', 'oneOf', 'above', 'below', 'exists'] as const

const condition = z
  .strictObject(
    {
      path,
      equals: scalar.optional(),
      oneOf: z
        .array(scalar, { error: LIST_ERROR })
        .min(1, { error: LIST_ERROR })
        .max(MAX_VALUES, { error: LIST_ERROR })
        .optional(),
      above: limit().optional(),
      below: limit().optional(),
      exists: bool().optional(),
    },
    { error: 'expected an object with path' },
  )
  .refine((given) => OPERATORS.filter((operator) => given[operator] !== undefined).length === 1, {
    error: `expected exactly one of ${OPERATORS.join(', ')} beside path`,
  })
  .transform((given): JsonCondition => settled(given))

const COUNT_ERROR = `expected a list of 1 to ${MAX_CONDITIONS} conditions`

export const jsonConditions = z
  .array(condition, { error: COUNT_ERROR })
  .min(1, { error: COUNT_ERROR })
  .max(MAX_CONDITIONS, { error: COUNT_ERROR })
