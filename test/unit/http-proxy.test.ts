import { describe, expect, it } from 'vitest'
import { isExcepted, proxyFor } from '../../src/probes/kinds/http-proxy.js'
import { ProxyBlame } from '../../src/probes/kinds/http-proxy-blame.js'
import { SecretError } from '../../src/probes/secrets.js'

const through = (url: string, env: NodeJS.ProcessEnv, proxy = 'env') =>
  proxyFor(new URL(url), proxy, env)?.href

describe('the proxy of a probe', () => {
  const both = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2' }

  it.each<[string, NodeJS.ProcessEnv, string | undefined]>([
    ['http://a/', {}, undefined],
    ['http://a/', both, 'http://plain:1/'],
    ['https://a/', both, 'http://secure:2/'],
    ['https://a/', { HTTP_PROXY: 'http://plain:1' }, undefined],
    ['http://a/', { ...both, http_proxy: 'http://small:3' }, 'http://small:3/'],
    ['http://a/', { HTTP_PROXY: ' proxy:3128 ' }, 'http://proxy:3128/'],
    ['http://a/', { HTTP_PROXY: 'u:p@proxy:3128' }, 'http://u:p@proxy:3128/'],
    ['http://a/', { HTTP_PROXY: '' }, undefined],
    ['http://localhost:8080/', both, undefined],
    ['http://api.localhost/', both, undefined],
    ['http://127.1.2.3/', both, undefined],
    ['http://[::1]/', both, undefined],
    ['http://api.example.com/', { ...both, NO_PROXY: 'example.com' }, undefined],
    ['http://api.example.com/', { ...both, NO_PROXY: 'x', no_proxy: 'example.com' }, undefined],
  ])('to %s with %j is %s', (url, env, proxy) => expect(through(url, env)).toBe(proxy))

  it('is none, or that of the settings, whatever the environment says', () => {
    expect(through('http://a/', both, 'none')).toBeUndefined()
    const given = { ...both, NO_PROXY: '*' }
    expect(through('http://a/', given, 'https://other:4')).toBe('https://other:4/')
  })

  it.each(['socks5://proxy:1080', 'http://', 'proxy:0', 'http://proxy/path'])(
    'that a variable names as %j is an error of this process, which does not repeat it',
    (value) => {
      const run = () => through('http://a/', { HTTP_PROXY: value })
      expect(run).toThrow(SecretError)
      expect(run).toThrow(
        'probe.proxy: the environment variable HTTP_PROXY does not hold the http: or https: URL of a proxy in the process that probes',
      )
    },
  )
})

describe('NO_PROXY', () => {
  it.each<[string, string, boolean]>([
    ['a.example.com', '', false],
    ['a.example.com', '*', true],
    ['a.example.com', 'example.com', true],
    ['a.example.com', '.example.com', true],
    ['a.example.com', '*.example.com', true],
    ['example.com', '.example.com', true],
    ['example.com.', 'EXAMPLE.com', true],
    ['badexample.com', 'example.com', false],
    ['a.example.com', 'x, b,a.example.com', true],
    ['a.example.com', 'x b a.example.com', true],
    ['a.example.com', 'a.example.com:443', true],
    ['a.example.com', 'a.example.com:80', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.0.0.0/33', false],
    ['10.1.2.3', '10.0.0.0/x', false],
    ['10.1.2.3', '0.1.2.3', false],
    ['10.1.2.3', '3', false],
    ['fd00::1', 'fd00::/8', true],
    ['fd00::1', '[fd00::1]:443', true],
    ['fd00::1', 'fd00::1', true],
    ['fe00::1', 'fd00::/8', false],
    ['10.1.2.3', 'fd00::/8', false],
  ])('of %j is held against %j: %j', (host, exceptions, excepted) =>
    expect(isExcepted(host, 443, exceptions)).toBe(excepted),
  )
})

describe('a proxy that brings no answer', () => {
  it('is at fault until it has carried another host since', () => {
    const blame = new ProxyBlame()
    blame.carried('p', 'b') // before: the proxy may have broken since then
    expect(blame.isProvider('p', 'a')).toBe(false)
    expect(blame.isProvider('p', 'a')).toBe(false)
    blame.carried('q', 'b') // another proxy
    expect(blame.isProvider('p', 'a')).toBe(false)
    blame.carried('p', 'b')
    expect(blame.isProvider('p', 'a')).toBe(true)
    expect(blame.isProvider('p', 'c'), 'that one has just begun').toBe(false)
    blame.carried('p', 'a')
    expect(blame.isProvider('p', 'a'), 'it came back, and fails again').toBe(false)
  })
})
