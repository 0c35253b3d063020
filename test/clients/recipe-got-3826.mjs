import got from 'got'

export function guardedGot(busbar) {
  const origins = busbar.family('')
  /** The call that a request of these options makes now. */
  const calls = new WeakMap()
  const begin = (provider, options) =>
    new Promise((begun, refused) => {
      const call = () => new Promise((resolve, reject) => begun(calls.set(options, { resolve, reject })))
      provider.execute(call).catch(refused)
    })
  return got.extend({
    hooks: {
      beforeRequest: [
        async (options) => {
          if (!options.isStream) await begin(await origins.get(new URL(options.url).origin), options)
        },
      ],
      beforeRedirect: [(_, response) => calls.get(response.request.options)?.resolve(response)],
      afterResponse: [
        (response) => {
          calls.get(response.request.options)?.resolve(response)
          return response
        },
      ],
      beforeRetry: [(error) => calls.get(error.options)?.reject(error)],
      beforeError: [
        (error) => {
          calls.get(error.options)?.reject(error)
          return error
        },
      ],
    },
  })
}
