// A private Redis for demos and tests: found, or installed, started, and gone when its parent is gone.
export { findRedisServer, privateFolder } from './find.js'
export type { FindOptions, RedisBinary } from './find.js'
export { installRedis, RedisInstallError } from './install.js'
export type { InstallOptions } from './install.js'
export { startRedis } from './server.js'
export type { EmbeddedRedis, StartOptions } from './server.js'
