import type { simulate, ScenarioOptions } from '../../src/testing.js'
import type { SettingsInput } from '../../src/index.js'

type Row = readonly [what: string, source: ScenarioOptions]

export const PAGE: string
export const RULES: readonly (readonly [name: string, settings: SettingsInput])[]
export const TABLES: Readonly<Record<'healthy' | 'sick' | 'partial', readonly Row[]>>
export function tableOf(run: typeof simulate, rows: readonly Row[], seeds?: readonly number[]): string
export function withTables(page: string, run: typeof simulate, names?: readonly string[]): string
