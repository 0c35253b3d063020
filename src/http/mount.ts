/**
 * Where the handler is mounted, for requests whose server says so: then an address below it that does not exist is 404. A
 * web-standard request carries no such thing: then the end of its path decides.
 */
const mounts = new WeakMap<Request, string>()

/** `mount`: the part of the path before the handler's own, without a slash at its end; empty at the root. */
export function setMount(request: Request, mount: string): void {
  mounts.set(request, mount)
}

export const mountOf = (request: Request): string | undefined => mounts.get(request)
