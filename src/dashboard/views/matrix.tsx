import { Page } from '../parts/page.js'

export const Matrix = () => <Page title="Workers" />
