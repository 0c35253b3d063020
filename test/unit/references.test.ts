import { describe, expect, it } from 'vitest'
import { maskSecrets, maskSecretsInText } from '../../src/config/mask.js'
import { hasBrokenReference, maskValue } from '../../src/config/references.js'
import { resolveSettings } from '../../src/config/settings.js'
import { SecretError, withSecrets } from '../../src/probes/secrets.js'

const settingsOf = (headers: Record<string, string>, url = 'http://a/') => {
  const { probe } = resolveSettings({ probe: { kind: 'http', url, headers } })
  if (probe?.kind !== 'http') throw new Error('no probe')
  return probe
}

describe('a reference to the environment', () => {
  it.each([
    ['Bearer ${env:API_KEY}', 'Bearer ${env:API_KEY}'],
    ['${env:A}${env:B}', '${env:A}${env:B}'],
    ['Bearer hunter2', '***'],
    ['hunter2 ${env:A}', '***${env:A}'],
    ['${env:A}hunter2', '${env:A}***'],
    ['', ''],
  ])('is all that is shown of %j: %j', (value, shown) => expect(maskValue(value)).toBe(shown))

  it.each(['${API_KEY}', '${env:}', '${env:1A}', '${env:A', '${ENV:A}', '${env:A}${'])('%j is none', (text) =>
    expect(hasBrokenReference(text)).toBe(true),
  )

  it('is replaced in the body as it is, and in the proxy encoded', () => {
    const { probe } = resolveSettings({
      probe: {
        kind: 'http',
        url: 'http://a/',
        method: 'POST',
        body: '{"k":"${env:A}"}',
        proxy: 'http://u:${env:A}@p',
      },
    })
    if (probe?.kind !== 'http') throw new Error('no probe')
    expect(withSecrets(probe, { A: 'p@ss' })).toMatchObject({
      body: '{"k":"p@ss"}',
      proxy: 'http://u:p%40ss@p',
    })
  })

  it('is replaced when the request is sent: in headers as it is, in the URL encoded', () => {
    const probe = settingsOf({ authorization: 'Bearer ${env:A}' }, 'http://a/?k=${env:A}')
    const sent = withSecrets(probe, { A: 'x/y z' })
    expect(sent).toMatchObject({ url: 'http://a/?k=x%2Fy%20z', headers: { authorization: 'Bearer x/y z' } })
    expect(probe.headers['authorization']).toBe('Bearer ${env:A}')
  })

  it.each<[NodeJS.ProcessEnv, RegExp]>([
    [{}, /^probe\.headers\.x: the environment variable A is not set in the process that probes$/],
    [{ A: '' }, /is not set/],
    [{ A: 'hunter2\n' }, /holds a control character/],
    [{ A: 'hunter2\u2013' }, /holds a character that no header can carry/],
  ])('that %j does not hold is an error of the prober, without the value', (env, message) => {
    expect(() => withSecrets(settingsOf({ x: '${env:A}' }), env)).toThrow(SecretError)
    expect(() => withSecrets(settingsOf({ x: '${env:A}' }), env)).toThrow(message)
    expect(() => withSecrets(settingsOf({ x: '${env:A}' }), env)).not.toThrow(/hunter2/)
  })
})

describe('masked settings', () => {
  it('are the same but for the values of headers', () => {
    const settings = resolveSettings({
      probe: { kind: 'http', url: 'http://a/', headers: { x: 'hunter2', y: 'Token ${env:Y}' } },
    })
    const masked = maskSecrets(settings)
    expect(masked.probe).toEqual({ ...settings.probe, headers: { x: '***', y: 'Token ${env:Y}' } })
    expect(maskSecrets(resolveSettings())).toEqual(resolveSettings())
  })

  it('are the same but for the body, and user and password of the proxy', () => {
    const probe = { kind: 'http', url: 'http://a/', method: 'POST' } as const
    const shown = (body: string, proxy: string) => {
      const masked = maskSecrets(resolveSettings({ probe: { ...probe, body, proxy } })).probe
      return masked?.kind === 'http' ? [masked.body, masked.proxy] : []
    }
    expect(shown('{"key":"hunter2"}', 'http://u:hunter2@p:1')).toEqual(['***', 'http://***@p:1'])
    expect(shown('${env:A}', 'http://${env:U}:${env:P}@p:1')).toEqual([
      '${env:A}',
      'http://${env:U}***${env:P}@p:1',
    ])
    expect(shown('x', 'none')).toEqual(['***', 'none'])
  })

  it('are masked in the text of an event too, whatever the values hold', () => {
    const headers = { 'x-"quoted"': 'a "b" } \\ {', y: '${env:Y}' }
    const text = `pinned=true probe=${JSON.stringify({ kind: 'http', headers, url: 'u' })} slowMs=1`
    expect(maskSecretsInText(text)).toBe(
      'pinned=true probe={"kind":"http","headers":{"x-\\"quoted\\"":"***","y":"${env:Y}"},"url":"u"} slowMs=1',
    )
  })
})
