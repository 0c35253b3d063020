import type { ComponentChildren } from 'preact'

/** The content of one view below its heading. */
export const Page = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <main id="main" tabIndex={-1}>
    <h1>{title}</h1>
    {children}
  </main>
)
