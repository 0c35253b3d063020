import { render } from 'preact'
import { App } from './app.js'
import type { About } from './store/about.js'

const root = document.getElementById('dashboard')
// Written by the server that sends this script too.
const about = JSON.parse(root?.dataset['about'] ?? '{}') as About
if (root !== null) render(<App about={about} />, root)
