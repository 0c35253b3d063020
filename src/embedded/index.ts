// A private Redis for demos and tests: found, started, and gone when its parent is gone.
export { findRedisServer, privateFolder } from './find.js'
export type { FindOptions, RedisBinary } from './find.js'
export { aptPackage, installCommand, isOnPath } from './install-command.js'
export type { PackageManagerFacts } from './install-command.js'
export { startRedis } from './server.js'
export type { EmbeddedRedis, StartOptions } from './server.js'
