import { JUDGEMENT_FIELDS } from './judgement-fields.js'
import { RECOVERY_FIELDS } from './recovery-fields.js'
import type { BreakerSettings, HistorySettings, Settings } from './settings.js'

/**
 * Every plain setting of a provider: its type, bounds, unit and default, and since which schema it is there. The schema
 * that checks settings, `DEFAULTS`, the fields of the config hash, the defaults of the Lua (`lua/lib/fields.lua`) and
 * `docs/configuration.md` come from this table. `probe` is no plain setting: its schema is in `config/probe/`.
 *
 * A setting without a default may be absent.
 */
export type SettingField = NumberField | FlagField | WordField | NameField

interface About {
  readonly meaning: string
  readonly since: number
}

interface NumberField extends About {
  readonly type: 'whole' | 'number'
  readonly min: number
  readonly max: number
  readonly unit?: 'ms'
  readonly default?: number
  /** Whether null is a value: it switches off what the setting says. */
  readonly nullable?: true
}

interface FlagField extends About {
  readonly type: 'flag'
  readonly default: boolean
}

interface WordField extends About {
  readonly type: 'word'
  readonly words: readonly [string, ...string[]]
  readonly default: string
}

/** Text of the letters that ids have. */
interface NameField extends About {
  readonly type: 'name'
  readonly default?: undefined
}

const DAY = 86_400_000

export const SETTING_FIELDS = {
  breaker: {
    failureThreshold: {
      type: 'whole',
      min: 1,
      max: 1_000_000,
      default: 3,
      nullable: true,
      since: 2,
      meaning:
        'consecutive failures, of calls or of probes, that open the circuit; null, where a rate is set: no number of them does',
    },
    ...JUDGEMENT_FIELDS,
    ...RECOVERY_FIELDS,
  },
  history: {
    maxRecords: {
      type: 'whole',
      min: 1,
      max: 10_000_000,
      default: 100_000,
      since: 2,
      meaning: 'outcomes kept at most',
    },
    windowMs: {
      type: 'whole',
      min: 1,
      max: 7 * DAY,
      unit: 'ms',
      default: 60_000,
      since: 2,
      meaning: 'age at which an outcome stops counting',
    },
    degradationThreshold: {
      type: 'number',
      min: 0,
      max: 1,
      default: 0.8,
      since: 2,
      meaning: 'success rate below which a provider is degraded',
    },
  },
  /** Settings outside all groups. */
  top: {
    slowMs: {
      type: 'whole',
      min: 1,
      max: DAY,
      unit: 'ms',
      since: 2,
      meaning: 'a call that returned slower than this is `degraded`',
    },
    group: {
      type: 'name',
      since: 2,
      meaning: 'the group of providers that it is a member of: see [groups.md](groups.md)',
    },
    priority: {
      type: 'whole',
      min: 0,
      max: 100,
      since: 2,
      meaning: 'of groups: members with the lowest number come first; default 0',
    },
    weight: {
      type: 'number',
      min: 0,
      max: 1_000,
      since: 2,
      meaning: 'of groups: its share among members of equal priority; 0 is only a last resort; default 1',
    },
  },
} as const satisfies Table

type FieldFor<T> = [T] extends [boolean]
  ? FlagField
  : [T] extends [number]
    ? NumberField
    : string extends T
      ? NameField
      : WordField & { readonly default: T }
type FieldsOf<T> = { readonly [K in keyof T]-?: FieldFor<NonNullable<T[K]>> }

/** Holds the table to the settings: one that is missing, of another type, or that nothing reads does not compile. */
interface Table {
  readonly breaker: FieldsOf<BreakerSettings>
  readonly history: FieldsOf<HistorySettings>
  readonly top: FieldsOf<Omit<Settings, 'breaker' | 'history' | 'probe'>>
}

type Fields = typeof SETTING_FIELDS
export type SettingGroup = keyof Fields

/** A value of any field. */
export type SettingValue = number | boolean | string | null

type ValueOf<F> = F extends WordField
  ? F['words'][number]
  : F extends NameField
    ? string
    : F extends FlagField
      ? boolean
      : F extends { readonly nullable: true }
        ? number | null
        : number

/** The values of a group, by name. */
export type ValuesOf<G extends SettingGroup> = { readonly [K in keyof Fields[G]]: ValueOf<Fields[G][K]> }

/** One setting, and where it stands: its group, its name in it, and the path that messages and Redis use. */
export interface SettingEntry {
  readonly group: SettingGroup
  readonly name: string
  readonly path: string
  readonly field: SettingField
}

const GROUPS = ['breaker', 'history', 'top'] as const satisfies readonly SettingGroup[]

/** Every setting of the table, in its order. */
export const SETTING_ENTRIES: readonly SettingEntry[] = GROUPS.flatMap((group) =>
  Object.entries<SettingField>(SETTING_FIELDS[group]).map(([name, field]) => {
    const path = group === 'top' ? name : `${group}.${name}`
    return { group, name, path, field }
  }),
)

/** Fields of the config hash that are no settings: the author of the settings, and the settings that they replaced. */
export const SETTINGS_ABOUT = [
  'revision',
  'set_by',
  'set_at_ms',
  'pinned',
  'replaced_set_by',
  'replaced_digest',
  'announced_at_ms',
  'unannounced_changes',
  'idle_ms',
  'idle_at_ms',
] as const
