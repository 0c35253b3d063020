/**
 * In which form a test runs that has two. `npm test` asks for the short one: it shows that the thing holds. The full one,
 * in `npm run test:all` and `npm run test:faults`, repeats it as often as docs/reliability.md says.
 */
export const FULL_FORM = process.env['BUSBAR_TEST_FORM'] === 'full'

export const byForm = <T>({ short, full }: { readonly short: T; readonly full: T }): T =>
  FULL_FORM ? full : short
