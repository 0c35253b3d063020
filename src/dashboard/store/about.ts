import type { Action } from './api.js'

/** The facts that the page was served with: no request is made for them. Made by src/http/page/dashboard-page.ts. */
export interface About {
  readonly title: string
  readonly environment: string
  readonly readOnly: boolean
  readonly namespace: string
  readonly version: string
  readonly actor: string
  /** Actions that this viewer may take; empty where the page is read-only. */
  readonly actions: readonly Action[]
}
