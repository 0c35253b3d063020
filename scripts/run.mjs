// What `npm start` and `npm test` call. This file itself imports nothing, so that an old Node gets as far as the
// sentence below instead of a syntax error in a file it cannot read. The oldest Node is that of package.json: a test
// compares them.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error('Busbar needs Node 20.19 or later; this is Node ' + process.versions.node + '.')
  process.exit(1)
}

import('./setup/main.mjs')
  .then((setup) => setup.main(process.argv.slice(2)))
  .then((code) => {
    if (code !== undefined) process.exitCode = code
  })
  .catch((error) => {
    // What is foreseen (no Redis, a failed build) has a message made for people; anything else keeps its stack.
    console.error(error.expected ? 'busbar: ' + error.message : error)
    process.exit(1)
  })
