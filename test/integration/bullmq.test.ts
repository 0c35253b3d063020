import { describe } from 'vitest'
import { guardCases, loadBullMQ } from '../harness/bullmq/cases.js'

describe('with the BullMQ that Busbar itself uses', () => guardCases(loadBullMQ('bullmq')))
