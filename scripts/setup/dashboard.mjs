// The dashboard as two files that a browser loads: everything that src/dashboard/ uses is in them, so that the package needs
// neither Preact nor uPlot at run time. Their licences are at the top of the script.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { rolldown } from 'rolldown'

const BUNDLED = ['preact', 'uplot']

/** Writes dashboard.js and dashboard.css into `folder`. */
export async function bundleDashboard(root, folder) {
  const source = join(root, 'src', 'dashboard')
  writeFileSync(join(folder, 'dashboard.js'), licences(root) + (await script(root, source)))
  writeFileSync(join(folder, 'dashboard.css'), style(root, source))
}

/**
 * Sentences come from `src/view/`, whose modules import what any user can: no module has an effect when it is loaded, so that
 * only what is called stays. What is no part of the browser must not stay.
 */
async function script(root, source) {
  const bundle = await rolldown({
    input: join(source, 'main.tsx'),
    cwd: root,
    platform: 'browser',
    tsconfig: join(source, 'tsconfig.json'),
    resolve: { extensionAlias: { '.js': ['.ts', '.tsx', '.js'] } },
    external: (id) => !/^(\.|\/|[A-Za-z]:|preact|uplot)/.test(id),
    treeshake: { moduleSideEffects: false },
  })
  try {
    const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false })
    const [{ code, imports }] = output
    if (imports.length > 0)
      throw new Error(`the dashboard imports what no browser has: ${imports.join(', ')}`)
    return code
  } finally {
    await bundle.close()
  }
}

const licences = (root) =>
  BUNDLED.map((name) => {
    const folder = join(root, 'node_modules', name)
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `/*! ${name} ${version}\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n*/\n`
  }).join('')

/** In the order of the names of the files; comments and indentation are left out. */
function style(root, source) {
  const folder = join(source, 'style')
  const own = readdirSync(folder)
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
  const chart = readFileSync(join(root, 'node_modules', 'uplot', 'dist', 'uPlot.min.css'), 'utf8')
  return [chart, ...own]
    .join('\n')
    .replace(/\/\*[^]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '\n')
    .replace(/\n?([{};,])\n?/g, '$1')
    .trim()
}
