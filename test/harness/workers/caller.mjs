// A worker that does what it is told, one thing at a time.
import { callerActions, join, serve } from './join.mjs'

const { busbar, provider } = await join()
serve(callerActions(busbar, provider))
