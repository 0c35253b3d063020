import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where redis-cli is; undefined where it is not. */
export const findRedisCli = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-cli'))
    .find((path) => existsSync(path))

/** What a person sees who types these commands on a terminal. */
export async function transcribe(cli: string, port: number, commands: readonly string[]): Promise<string> {
  const lines: string[] = []
  for (const command of commands) {
    const args = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((part) => part[1] ?? part[2] ?? '')
    const { stdout } = await run(cli, ['-p', String(port), '--no-raw', ...args])
    lines.push(`$ redis-cli ${command}`, stdout.trimEnd(), '')
  }
  return lines.join('\n').trimEnd()
}

/** The same text for every run: what is random, or comes from the real clock, is named instead. */
export const normalise = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/\b(?!17000000)1\d{12}(-\d+)?\b/g, '<now>')

const block = (name: string) =>
  new RegExp(
    `(<!-- transcript: ${name} -->\\n)(?:\`\`\`console\\n([^]*?)\\n\`\`\`\\n)?(<!-- /transcript -->)`,
  )

/** The transcript that a page shows. With BUSBAR_UPDATE_DOCS=1 it is written anew from `actual`. */
export function documented(page: string, name: string, actual: string): string {
  const text = readFileSync(page, 'utf8')
  if (process.env['BUSBAR_UPDATE_DOCS'] === '1') {
    writeFileSync(
      page,
      text.replace(
        block(name),
        (_all, head: string, _old, tail: string) => `${head}\`\`\`console\n${actual}\n\`\`\`\n${tail}`,
      ),
    )
    return actual
  }
  return block(name).exec(text)?.[2] ?? ''
}

const part = (name: string) => new RegExp(`(<!-- ${name} -->\\n)([^]*?)(\\n?<!-- /${name} -->)`)

/** A part of a page that code makes, such as a table; written anew with BUSBAR_UPDATE_DOCS=1. */
export function documentedPart(page: string, name: string, actual: string): string {
  const text = readFileSync(page, 'utf8')
  if (process.env['BUSBAR_UPDATE_DOCS'] === '1') {
    writeFileSync(
      page,
      text.replace(part(name), (_all, head: string) => `${head}${actual}\n<!-- /${name} -->`),
    )
    return actual
  }
  return part(name).exec(text)?.[2] ?? ''
}
