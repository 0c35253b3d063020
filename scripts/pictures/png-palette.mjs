// Makes a PNG small: at most 256 colours. A picture of a page has few; of the shades of its letters, the rarest are merged.
import { crc32, deflateSync, inflateSync } from 'node:zlib'

const MOST = 256
const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
const TRUECOLOUR = { 2: 3, 6: 4 }

/** Takes 8 bits a channel, with or without alpha (which is dropped), not interlaced: what a browser writes. */
export function withPalette(png) {
  const { width, height, pixels } = decode(png)
  const counts = new Map()
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1)
  const palette = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, MOST)
  const places = new Map([...counts.keys()].map((colour) => [colour, nearest(palette, colour)]))
  const rows = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) rows[y * (width + 1) + x + 1] = places.get(pixels[y * width + x])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  const colours = Buffer.from(palette.flatMap(channels))
  const data = deflateSync(rows, { level: 9, memLevel: 9 })
  const chunks = { IHDR: header, PLTE: colours, IDAT: data, IEND: Buffer.alloc(0) }
  return Buffer.concat([SIGNATURE, ...Object.entries(chunks).map(([name, body]) => chunk(name, body))])
}

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]

function nearest(palette, colour) {
  const own = channels(colour)
  const far = (other) => channels(other).reduce((sum, value, at) => sum + (value - own[at]) ** 2, 0)
  let [best, least] = [0, Infinity]
  palette.forEach((other, at) => {
    const distance = far(other)
    if (distance < least) [best, least] = [at, distance]
  })
  return best
}

function chunk(name, body) {
  const typed = Buffer.concat([Buffer.from(name), body])
  const frame = Buffer.alloc(4)
  frame.writeUInt32BE(body.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(typed))
  return Buffer.concat([frame, typed, sum])
}

function decode(png) {
  const parts = []
  let header
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at)
    const name = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (name === 'IHDR') header = body
    if (name === 'IDAT') parts.push(body)
    at += 12 + length
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)]
  const size = TRUECOLOUR[header[9]]
  if (header[8] !== 8 || size === undefined || header[12] !== 0) throw new Error('not a PNG of a browser')
  const bytes = unfiltered(inflateSync(Buffer.concat(parts)), { width: width * size, height, size })
  const pixels = new Uint32Array(width * height)
  for (let at = 0; at < pixels.length; at += 1)
    pixels[at] = (bytes[at * size] << 16) | (bytes[at * size + 1] << 8) | bytes[at * size + 2]
  return { width, height, pixels }
}

/** Undoes the five filters of PNG. `width` in bytes. */
function unfiltered(raw, { width, height, size }) {
  const out = Buffer.alloc(width * height)
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (width + 1)]
    for (let x = 0; x < width; x += 1) {
      const at = y * width + x
      const left = x < size ? 0 : out[at - size]
      const up = y === 0 ? 0 : out[at - width]
      const corner = x < size || y === 0 ? 0 : out[at - width - size]
      out[at] = raw[y * (width + 1) + x + 1] + guess(filter, left, up, corner)
    }
  }
  return out
}

function guess(filter, left, up, corner) {
  switch (filter) {
    case 0:
      return 0
    case 1:
      return left
    case 2:
      return up
    case 3:
      return (left + up) >> 1
    case 4:
      return paeth(left, up, corner)
    default:
      throw new Error(`no filter of PNG: ${filter}`)
  }
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  if (a <= b && a <= c) return left
  return b <= c ? up : corner
}
