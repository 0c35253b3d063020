import { hostname } from 'node:os'
import { checkSettings } from './check.js'
import { name } from './fields.js'
import { object } from './objects.js'

/** Of the environment, where the options name no failure domain. */
const VARIABLE = 'BUSBAR_FAILURE_DOMAIN'

const variableSchema = object({ [VARIABLE]: name() })

/**
 * What fails together with this process: `failureDomain` of the options, else `BUSBAR_FAILURE_DOMAIN`, else the name of the
 * host. @throws SettingsError where the environment names one that makes no sense
 */
export function failureDomainOf(given: string | undefined, env = process.env): string {
  if (given !== undefined) return given
  const named = env[VARIABLE]
  if (named === undefined || named === '')
    return hostname()
      .replace(/[^A-Za-z0-9._:/@-]/g, '-')
      .slice(0, 128)
  checkSettings(variableSchema, { [VARIABLE]: named })
  return named
}
