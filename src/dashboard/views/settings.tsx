import { clean, formatDuration, formatTime } from '../../view/format.js'
import type { ProviderView } from '../../view/provider-view.js'
import { Said } from '../parts/said.js'

/** The settings that it is judged by, and who set them. */
export function SettingsTable({ view: { settings, origin, snapshot } }: { view: ProviderView }) {
  const { breaker, history, probe, ...others } = settings
  const parts: readonly (readonly [string, object])[] = [
    ['breaker', breaker],
    ['history', history],
    ['probe', probe ?? { probe: 'none' }],
    ...(Object.keys(others).length === 0 ? [] : [['provider', others] as const]),
  ]
  const how = origin.pinned ? 'Applied by ' : 'Set by '
  return (
    <>
      <p class="dim">
        {how}
        <Said text={clean(origin.setBy)} most={64} /> at {formatTime(origin.setAt)}, revision{' '}
        {snapshot.settingsRevision}.{origin.pinned ? ' Code does not change them.' : ''}
      </p>
      <div class="settings">
        {parts.map(([name, part]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>
              {Object.entries(part).map(([setting, value]: [string, unknown]) => (
                <div key={setting}>
                  <dt>{setting}</dt>
                  <dd>
                    <Said text={valueText(setting, value)} most={120} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </>
  )
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && name.endsWith('Ms')) return formatDuration(value)
  if (typeof value === 'number') return value.toLocaleString('en')
  if (typeof value === 'string') return value
  return value === null ? 'none' : JSON.stringify(value)
}
