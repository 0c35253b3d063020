/**
 * `busbar/http`: the API and the page of a fleet, behind one handler of web-standard requests that any server can call.
 */
export { createHandler } from './handler.js'
export type { Handler, HandlerOptions } from './handler.js'
export { toNode } from './node.js'
export type { NodeListener, NodeRequest } from './node.js'
export type { Authorize, Viewer } from './rights.js'
export type { Action } from '../config/http.js'
export { ACTIONS } from '../config/http.js'
