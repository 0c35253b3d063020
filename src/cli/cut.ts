/** The beginning of a text: at most `max` UTF-16 units, and no half character at its end. */
export const cut = (text: string, max: number): string => text.slice(0, max).replace(/[\ud800-\udbff]$/, '')
