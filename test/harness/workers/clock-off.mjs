// Loaded before anything else (`--import`): this process believes in another time of day. Its monotonic clock is right,
// as on a machine whose time was set wrong.
const offMs = Number(process.env.BUSBAR_TEST_CLOCK_OFF_MS)
const RightDate = Date

globalThis.Date = new Proxy(RightDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [RightDate.now() + offMs] : args, newTarget),
  apply: () => new Date().toString(),
  get: (target, key, receiver) =>
    key === 'now' ? () => RightDate.now() + offMs : Reflect.get(target, key, receiver),
})
