import { hostname } from 'node:os'
import { checkSettings } from './check.js'
import { idSchema } from './options.js'

/** Of the environment, where the options name no failure domain. */
const VARIABLE = 'BUSBAR_FAILURE_DOMAIN'

/**
 * What fails together with this process: `failureDomain` of the options, else `BUSBAR_FAILURE_DOMAIN`, else the name of the
 * host. @throws SettingsError where the environment names one that makes no sense
 */
export function failureDomainOf(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
  host = hostname(),
): string {
  const named = given ?? env[VARIABLE]
  if (named !== undefined && named !== '') return checkSettings(idSchema, named, VARIABLE)
  return host.replace(/[^A-Za-z0-9._:/@-]/g, '-').slice(0, 128) || 'host'
}
