import { EXIT } from './exit.js'

/** Error codes of a stream without a reader: a closed pipe, a closed terminal. */
const READER_GONE = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']

/**
 * Keeps an error of standard output or standard error from ending the process with a stack trace. Without a reader
 * (`busbar status | head -1`) the command still ends with its own exit code; commands that run on end at their next
 * line, see `Shutdown`. Any other error, a full disk say, means that the answer is not complete.
 */
export class Output {
  #failure: Error | undefined

  constructor() {
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (!READER_GONE.includes(error.code ?? '')) this.#failure ??= error
      })
    }
  }

  /** The exit code of a command that would answer `exitCode`. */
  async judge(exitCode: number): Promise<number> {
    // The error of a write comes after the write itself has returned.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failure === undefined) return exitCode
    process.stderr.write(`busbar: the output could not be written: ${this.#failure.message}\n`)
    return EXIT.internal
  }

  /** Whether the reader of a pipe has not yet taken all of the output. */
  get pending(): boolean {
    return [process.stdout, process.stderr].some((stream) => stream.writable && stream.writableLength > 0)
  }
}
