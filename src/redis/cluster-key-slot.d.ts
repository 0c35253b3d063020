declare module 'cluster-key-slot' {
  /** The slot of a Cluster, 0-16383, that a key comes to. */
  const keySlot: (key: string) => number
  export default keySlot
}
