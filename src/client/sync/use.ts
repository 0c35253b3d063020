/**
 * The uses of a provider are noted by one write on the way of each call, `used = USED`; each reader takes a bit of its own, so
 * that none of them hides a use from another.
 */
export const USED = 3
/** The poll reads only providers that were used. */
export const SEEN_BY_POLL = 1
/** A family keeps members that were used. */
export const SEEN_BY_FAMILY = 2
