import { Page } from '../parts/page.js'

export const Fleet = () => <Page title="Fleet" />
