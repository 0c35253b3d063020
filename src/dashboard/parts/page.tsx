import type { ComponentChildren } from 'preact'

/** The content of one view. */
export const Page = ({ children }: { children?: ComponentChildren }) => (
  <main id="main" tabIndex={-1}>
    {children}
  </main>
)

/** The sentence of a view that has nothing to show. */
export const Quiet = ({ children }: { children: ComponentChildren }) => <p class="quiet">{children}</p>
