import type { Alert, AlertMessage, AlertStatus, HookKind } from '../model/alerts.js'
import { messageText, testText } from '../view/alert-text.js'

export interface MessageParts {
  readonly hook: string
  readonly kind: HookKind
  readonly namespace: string
  readonly delivery: string
}

/** The bytes of a message, made once: each attempt sends the same. */
export function bodyOf({ kind, ...about }: MessageParts, alerts: readonly Alert[], omitted: number): string {
  const status = statusOfAll(alerts)
  const text = messageText({ namespace: about.namespace, status, alerts, omitted })
  return kind === 'slack'
    ? slackBody(text)
    : webhookBody({ ...about, status, text, alerts, omitted, test: false })
}

export function testBodyOf({ kind, ...about }: MessageParts): string {
  const text = testText(about.namespace, about.hook)
  return kind === 'slack'
    ? slackBody(text)
    : webhookBody({ ...about, status: 'info', text, alerts: [], omitted: 0, test: true })
}

const webhookBody = (message: AlertMessage): string => JSON.stringify(message)

/** Slack takes these three for marks of its own: a reason must not call a channel. */
const slackBody = (text: string): string =>
  JSON.stringify({ text: text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;') })

function statusOfAll(alerts: readonly Alert[]): AlertStatus {
  for (const status of ['firing', 'resolved'] as const)
    if (alerts.some((alert) => alert.status === status)) return status
  return 'info'
}
