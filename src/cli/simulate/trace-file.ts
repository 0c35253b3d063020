import { closeSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import type { TraceCall } from '../../simulation/index.js'
import { wrongCall } from '../failure.js'

type Parse = (line: string, where: string) => TraceCall

const CHUNK = 1 << 20

/**
 * The calls of a file with one JSON a line, read bit by bit: a trace may be longer than the longest text. Empty lines are left out.
 * @throws what `parse` throws, with the file and the number of the line.
 */
export function* readTrace(file: string, parse: Parse): Generator<TraceCall> {
  let number = 0
  for (const line of linesOf(file)) {
    number += 1
    if (line.trim() !== '') yield parse(line, `${file}:${number}`)
  }
}

function* linesOf(file: string): Generator<string> {
  const descriptor = open(file)
  const decoder = new StringDecoder('utf8')
  const buffer = Buffer.allocUnsafe(CHUNK)
  let rest = ''
  try {
    for (let read = readSync(descriptor, buffer); read > 0; read = readSync(descriptor, buffer)) {
      const lines = (rest + decoder.write(buffer.subarray(0, read))).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    rest += decoder.end()
    if (rest !== '') yield rest
  } finally {
    closeSync(descriptor)
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw wrongCall(`--trace: ${file} cannot be read: ${why}`)
  }
}
