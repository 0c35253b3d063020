import { test } from 'vitest'
import { checkJudgement } from './judgement-check.js'

const SECONDS = Number(process.env['BUSBAR_JUDGEMENT_SECONDS'] ?? 15)

test(
  `a process that fails alone for ${SECONDS} s is named, and the fleet stays closed`,
  { timeout: 600_000 },
  () => checkJudgement(SECONDS * 1_000),
)
