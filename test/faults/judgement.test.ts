import { test } from 'vitest'
import { checkJudgement } from './judgement-check.js'

test('a process that fails alone is named, and the fleet stays closed', () => checkJudgement(3_000))
