import { hostname } from 'node:os'
import { checkSettings } from '../../config/check.js'
import { idSchema } from '../../config/options.js'

const VARIABLE = 'BUSBAR_FAILURE_DOMAIN'

/**
 * What fails together with this process: what it was told, else what its environment says, else its host.
 * @throws SettingsError where the environment names none that may be one
 */
export function failureDomainOf(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
  host = hostname(),
): string {
  const named = given ?? env[VARIABLE]
  if (named !== undefined && named !== '') return checkSettings(idSchema, named, VARIABLE)
  return host.replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 128) || 'host'
}
