import { Page } from '../parts/page.js'

export const Schedules = () => <Page title="Schedules" />
