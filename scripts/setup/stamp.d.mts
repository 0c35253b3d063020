export function dependenciesHash(root: string): string
export function sourcesHash(root: string): string
export function isCurrent(stampFile: string, hash: string): boolean
export function writeStamp(stampFile: string, hash: string): void
