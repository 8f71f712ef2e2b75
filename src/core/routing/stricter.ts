/** Where a text goes that is marked as a read, and why, where it is not a standby. */
export type ReadRoute =
  | { readonly to: 'standby' }
  /** It would succeed on a standby and mean something else there. */
  | { readonly to: 'leader'; readonly because: string }
  /** It is refused before it is sent: behind it, a write marked as a read would go through. */
  | { readonly to: 'nowhere'; readonly because: string }

export const standby: ReadRoute = Object.freeze({ to: 'standby' })

export function leader(because: string): ReadRoute {
  return Object.freeze({ to: 'leader', because })
}

export function nowhere(because: string): ReadRoute {
  return Object.freeze({ to: 'nowhere', because })
}

const strictness = { standby: 0, leader: 1, nowhere: 2 } as const

/** The stricter of two, the first of equals. */
export function stricter(first: ReadRoute, second: ReadRoute): ReadRoute {
  return strictness[second.to] > strictness[first.to] ? second : first
}
