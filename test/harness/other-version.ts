import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { onTestFinished } from 'vitest'

/** One change of the source: `before` occurs exactly once in the file, and is replaced. */
export interface Edit {
  readonly file: string
  readonly before: string
  readonly after: string
}

/** Where this version is built: `dist/` and `lua/` are in it. */
export const THIS_VERSION = process.cwd()

/**
 * Builds another version: this one with some changes of its source, in a folder of its own, which goes with the test. What
 * does not change is copied from `dist/`; types are not checked.
 * @throws when the text that is to be changed is not there, or more than once
 */
export function buildVersion(edits: readonly Edit[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'busbar-version-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['src', 'dist', 'lua', 'package.json'])
    cpSync(join(THIS_VERSION, name), join(folder, name), { recursive: true })
  rmSync(join(folder, 'dist', 'lua'), { recursive: true, force: true }) // this version's; made from lua/ where it is missing
  symlinkSync(join(THIS_VERSION, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, before, after } of edits) {
    const path = join(folder, file)
    const parts = readFileSync(path, 'utf8').split(before)
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once: ${before}`)
    writeFileSync(path, parts.join(after))
  }
  for (const file of new Set(edits.map((edit) => edit.file)))
    if (file.endsWith('.ts')) transpile(folder, file)
  return folder
}

function transpile(folder: string, file: string): void {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  }
  const { outputText } = ts.transpileModule(readFileSync(join(folder, file), 'utf8'), { compilerOptions })
  writeFileSync(join(folder, file.replace(/^src/, 'dist').replace(/\.ts$/, '.js')), outputText)
}
