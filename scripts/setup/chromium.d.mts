// The part of playwright-core that tests and scripts use: its own types are there only once its packages are.
export interface Locator {
  getByRole(role: string, options?: Named): Locator
  getByText(text: string | RegExp, options?: { exact?: boolean }): Locator
  getByLabel(text: string | RegExp): Locator
  locator(selector: string): Locator
  filter(options: { hasText?: string | RegExp }): Locator
  first(): Locator
  nth(at: number): Locator
  waitFor(options?: {
    state?: 'visible' | 'hidden' | 'attached' | 'detached'
    timeout?: number
  }): Promise<void>
  click(): Promise<void>
  fill(text: string): Promise<void>
  focus(): Promise<void>
  count(): Promise<number>
  innerText(): Promise<string>
  allInnerTexts(): Promise<string[]>
  getAttribute(name: string): Promise<string | null>
  selectOption(value: string | { label: string }): Promise<unknown>
  isVisible(): Promise<boolean>
  evaluate<T>(run: (element: never) => T): Promise<T>
}

interface Named {
  readonly name?: string | RegExp
  readonly exact?: boolean
}

export interface Page extends Omit<Locator, 'focus' | 'count' | 'first' | 'nth' | 'filter' | 'evaluate'> {
  goto(url: string): Promise<unknown>
  title(): Promise<string>
  url(): string
  evaluate<T>(run: (() => T) | string): Promise<T>
  evaluate<T, A>(run: (given: A) => T, given: A): Promise<T>
  emulateMedia(media: {
    colorScheme?: 'light' | 'dark'
    reducedMotion?: 'reduce' | 'no-preference'
  }): Promise<void>
  setViewportSize(size: { width: number; height: number }): Promise<void>
  screenshot(): Promise<Buffer>
  on(event: 'console', listener: (message: ConsoleMessage) => void): void
  on(event: 'pageerror', listener: (error: Error) => void): void
  on(event: 'dialog', listener: (dialog: { message(): string; dismiss(): Promise<void> }) => void): void
  on(event: 'request', listener: (request: { url(): string }) => void): void
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> }
}

interface ConsoleMessage {
  type(): string
  text(): string
  location(): { readonly url: string }
}

export interface Context {
  newPage(): Promise<Page>
  addInitScript(run: () => void): Promise<void>
  newCDPSession(page: Page): Promise<{ send(method: string, given?: object): Promise<unknown> }>
  close(): Promise<void>
}

export interface Browser {
  newContext(options?: object): Promise<Context>
  close(): Promise<void>
}

export function findChromium(path?: string): string | undefined
export function chromiumProblem(): string | undefined
export function launchChromium(root: string): Promise<Browser>
export function packageOf(root: string, name: string): unknown
