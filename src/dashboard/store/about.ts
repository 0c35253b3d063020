import type { Action } from './api.js'

/** What the page was served with: no request need be made for it. Made by src/http/page/dashboard-page.ts. */
export interface About {
  readonly title: string
  readonly environment: string
  readonly readOnly: boolean
  readonly namespace: string
  readonly version: string
  readonly actor: string
  /** What this viewer may do; empty where the page is read-only. */
  readonly actions: readonly Action[]
}
