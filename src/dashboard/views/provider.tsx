import { Page } from '../parts/page.js'

export const Provider = () => <Page title="Provider" />
