import type { ComponentChildren } from 'preact'

/** The content of one view. */
export const Page = ({ children }: { children?: ComponentChildren }) => (
  <main id="main" tabIndex={-1}>
    {children}
  </main>
)

/** What a view says while it has nothing to show. */
export const Quiet = ({ children }: { children: ComponentChildren }) => <p class="quiet">{children}</p>
