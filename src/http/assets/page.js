// Replaces the providers on the page when the stream says that something has changed.
const AT_MOST_EVERY_MS = 1_000
const RETRY_MS = 3_000
const OLD_MS = 30_000

const banner = document.getElementById('banner')
const age = document.getElementById('age')
let main = document.getElementById('main')
let shownAt = Date.now()
let asked = false
let stream

function say(text) {
  banner.textContent = text
  banner.hidden = text === ''
}

async function show() {
  try {
    const answer = await fetch('./', { headers: { accept: 'text/html' } })
    const text = await answer.text()
    const fresh = new DOMParser().parseFromString(text, 'text/html').getElementById('main')
    if (fresh === null) throw new Error(`HTTP ${answer.status}`)
    main.replaceWith(fresh)
    main = fresh
    shownAt = Date.now()
    say('')
  } catch (error) {
    say(`This page cannot be read again (${error.message}): what it shows is old.`)
  }
}

function changed() {
  if (asked) return
  asked = true
  setTimeout(
    () => {
      asked = false
      void show()
    },
    Math.max(100, shownAt + AT_MOST_EVERY_MS - Date.now()),
  )
}

function follow() {
  stream = new EventSource('api/stream')
  for (const kind of ['snapshot', 'removed', 'synced', 'store']) stream.addEventListener(kind, changed)
  stream.addEventListener('error', () => {
    // The browser connects again by itself, unless it was refused.
    if (stream.readyState !== EventSource.CLOSED) return
    changed()
    setTimeout(follow, RETRY_MS)
  })
}

setInterval(() => {
  const ms = Date.now() - shownAt
  age.textContent = `shown ${Math.floor(ms / 1_000)} s ago`
  // Times on the page go on, also where nothing changes.
  if (ms > OLD_MS / 3) changed()
}, 1_000)

follow()
