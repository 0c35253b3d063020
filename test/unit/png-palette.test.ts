import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { withPalette } from '../../scripts/pictures/png-palette.mjs'

function chunk(name: string, body: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(name), body])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length)
  sum.writeUInt32BE(crc32(typed))
  return Buffer.concat([length, typed, sum])
}

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])

/** A PNG of 8 bits a channel; `rows` begin with the filter. */
function png(width: number, rows: readonly (readonly number[])[]): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(rows.length, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const data = deflateSync(Buffer.from(rows.flat()))
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The colours of the pixels, row by row, of a PNG with a palette. */
function coloursOf(picture: Buffer, width: number): string[] {
  const parts = new Map<string, Buffer>()
  for (let at = SIGNATURE.length; at < picture.length; at += 12 + picture.readUInt32BE(at)) {
    const length = picture.readUInt32BE(at)
    expect(picture.readUInt32BE(at + 8 + length)).toBe(crc32(picture.subarray(at + 4, at + 8 + length)))
    parts.set(picture.toString('latin1', at + 4, at + 8), picture.subarray(at + 8, at + 8 + length))
  }
  const palette = parts.get('PLTE') ?? Buffer.alloc(0)
  const rows = inflateSync(parts.get('IDAT') ?? Buffer.alloc(0))
  return [...rows].flatMap((place, at) =>
    at % (width + 1) === 0 ? [] : palette.subarray(place * 3, place * 3 + 3).toString('hex'),
  )
}

it('keeps every pixel of a picture of few colours, by every filter of PNG', () => {
  const rows = [
    [0, 1, 2, 3, 9, 9, 9], // none
    [1, 1, 2, 3, 8, 7, 6], // to the left
    [2, 0, 0, 0, 1, 1, 1], // up
    [3, 1, 1, 1, 2, 2, 2], // the average
    [4, 1, 1, 1, 1, 1, 1], // Paeth
  ]
  expect(coloursOf(withPalette(png(2, rows)), 2)).toEqual([
    ...['010203', '090909', '010203', '090909', '010203', '0a0a0a', '010202', '070808', '020303', '080909'],
  ])
})

it('takes the nearest of the 256 most frequent colours for the rarest', () => {
  const frequent = Array.from({ length: 256 }, (_, at) => [at, 0, 0, at, 0, 0]).flat()
  const picture = withPalette(png(513, [[0, ...frequent, 5, 2, 0]]))
  expect(coloursOf(picture, 513).at(-1)).toBe('050000')
})
