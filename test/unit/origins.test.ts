import { expect, it } from 'vitest'
import { Origins } from '../../src/adapters/origins.js'

const URLS = [
  'https://a.example/x',
  'https://a.example',
  'https://a.example?x=/y',
  'https://a.example#/y',
  'https://a.example\\@b.example/c',
  'https://a.example@b.example/c',
  'https://a.example:443/x',
  'https://a.example:8443/x',
  'https://a.example:99999/x',
  'HTTPS://A.example/x',
  'http://127.1/x',
  'http://[::1]:80/x',
  'http:/a.example/b/c',
  'http:////a.example/b',
  'http://///b.example/c',
  'http:a.example/b',
  ' http://a.example/b',
  'http://a\t.example/b',
  'http://é.example/b',
  'http://a.example.//b',
  'blob:https://a.example/1',
  'data:text/plain,https://a.example/',
  'file:///a/b',
  'ftp://a.example/b',
  '/b/c',
  'a.example',
  '',
]

it('the origin of a URL is that which URL says, whatever was asked for before', () => {
  const said = URLS.map((url) => (URL.canParse(url) ? new URL(url) : undefined))
  const origins = new Origins()
  for (let turn = 0; turn < 3; turn += 1)
    expect(URLS.map((url) => origins.of(url))).toEqual(
      // Of no server where it is not HTTP.
      said.map((url) => (url?.protocol.startsWith('http') === true ? url.origin : undefined)),
    )
  // More servers than are kept.
  for (let i = 0; i < 2_500; i += 1)
    expect(origins.of(`https://h${i}.example/x`)).toBe(`https://h${i}.example`)
})
