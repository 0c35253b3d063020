import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers'

const REDIS_PORT = 6379

/** Why there is no container to be had here, in one line; undefined when there is. */
export async function engineProblem() {
  try {
    await getContainerRuntimeClient()
    return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `no Docker engine answers (${reason}): start one, or name yours in DOCKER_HOST`
  }
}

/**
 * An engine without a bridge maps no ports: with `BUSBAR_TEST_CONTAINER_NETWORK=host` the container shares the network of
 * the host, and listens on `hostPort` of its loopback only.
 */
export async function startRedisContainer(hostPort) {
  const image = process.env['BUSBAR_TEST_REDIS_IMAGE'] ?? 'redis:7-alpine'
  const onHost = process.env['BUSBAR_TEST_CONTAINER_NETWORK'] === 'host'
  const port = onHost ? hostPort : REDIS_PORT
  const bind = onHost ? ['--bind', '127.0.0.1'] : []
  const wanted = new GenericContainer(image)
    .withCommand(['redis-server', '--port', `${port}`, ...bind, '--save', '', '--appendonly', 'no'])
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
  const placed = onHost ? wanted.withNetworkMode('host') : wanted.withExposedPorts(port)
  const container = await placed.start()
  return {
    url: `redis://${container.getHost()}:${onHost ? port : container.getMappedPort(port)}`,
    image,
    stop: async () => {
      await container.stop()
    },
  }
}
