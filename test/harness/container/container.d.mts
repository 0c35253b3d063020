/** A Redis in a container of a Docker engine. */
export interface ContainerRedis {
  readonly url: string
  readonly image: string
  readonly stop: () => Promise<void>
}

/** Why there is no container to be had here, in one line; undefined when there is. */
export declare function engineProblem(): Promise<string | undefined>

/** `hostPort`: a free one, for an engine without a bridge (`BUSBAR_TEST_CONTAINER_NETWORK=host`). */
export declare function startRedisContainer(hostPort: number): Promise<ContainerRedis>
