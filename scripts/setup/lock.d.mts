export function withLock<T>(file: string, log: (line: string) => void, work: () => T | Promise<T>): Promise<T>
export function takeOver(file: string): boolean
export function birthOf(pid: number): string | undefined
