// `npm run simulate:tables`: simulates what docs/choosing-rules.md shows, and writes its tables again.
import { readFile, writeFile } from 'node:fs/promises'
import { simulate } from '../dist/testing.js'
import { PAGE, withTables } from './simulate/tables.mjs'

const page = new URL(`../${PAGE}`, import.meta.url)
await writeFile(page, withTables(await readFile(page, 'utf8'), simulate))
console.log(`${PAGE} has its tables`)
