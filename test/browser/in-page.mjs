// Functions that run in the page: each is sent there as text, so that it uses nothing from outside of itself.

/** Before anything else runs in a page. */
export function watch() {
  const { document, PerformanceObserver } = globalThis
  const found = { violations: [], shifts: [] }
  Object.defineProperty(globalThis, '__seen', { value: found })
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) =>
    found.violations.push(`${violatedDirective} ${blockedURI} ${sourceFile}`),
  )
  const name = (node) => {
    if (!node) return 'gone'
    if (node.nodeType === 3) return `text "${node.data}" in ${name(node.parentElement)}`
    return `${node.nodeName.toLowerCase()}.${node.className}`
  }
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, startTime, sources } of list.getEntries())
      if (!hadRecentInput)
        found.shifts.push({ value, at: startTime, of: sources.map(({ node }) => name(node)) })
  }).observe({ type: 'layout-shift', buffered: true })
}

export const seen = () => globalThis.__seen

export function overflow() {
  const { document, innerWidth } = globalThis
  return Math.max(0, document.documentElement.scrollWidth - innerWidth)
}

export function outOfReach() {
  const { document, innerWidth, getComputedStyle } = globalThis
  const scrolls = (element) =>
    element !== null &&
    (/auto|scroll/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement))
  return [...document.querySelectorAll('a:not(.skip), button, input, select')]
    .filter((element) => {
      const { left, right, width, height } = element.getBoundingClientRect()
      const within = left >= 0 && right <= innerWidth + 0.5
      return width < 1 || height < 1 || (!within && !scrolls(element.parentElement))
    })
    .map((element) => element.textContent || element.outerHTML)
}

export function injected() {
  const { document } = globalThis
  const strange = document.querySelectorAll(
    '#dashboard :is(img, iframe, script, style, object, embed, video, b u)',
  )
  const handlers = [...document.querySelectorAll('#dashboard *')].filter((element) =>
    [...element.attributes].some(
      ({ name, value }) => /^on/.test(name) || (name !== 'data-key' && /^\s*javascript:/i.test(value)),
    ),
  )
  return [...strange, ...handlers].map((element) => element.outerHTML.slice(0, 200))
}

export function focused() {
  const { activeElement } = globalThis.document
  return `${activeElement.nodeName.toLowerCase()} ${activeElement.getAttribute('aria-label') ?? activeElement.textContent.slice(0, 40)}`.trim()
}

export function movingParts() {
  const { document, getComputedStyle } = globalThis
  const animated = document.getAnimations().map(({ effect }) => effect?.target?.outerHTML ?? 'an animation')
  const moving = [...document.querySelectorAll('*')].filter((element) => {
    const { transitionDuration, animationName } = getComputedStyle(element)
    return animationName !== 'none' || !/^0s(, 0s)*$/.test(transitionDuration)
  })
  return [...animated, ...moving.map((element) => element.outerHTML.slice(0, 100))]
}

export function scrollToEnd() {
  const { document, scrollTo } = globalThis
  scrollTo(0, document.documentElement.scrollHeight)
}

export async function findings(rules) {
  const which = rules === undefined ? {} : { runOnly: rules }
  const { violations } = await globalThis.axe.run({ ...which, resultTypes: ['violations'] })
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
    )
}
