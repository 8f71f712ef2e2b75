/** Where a text goes that is marked as a read, and why, where it is not a standby. */
export type ReadRoute =
  | { readonly to: 'standby' }
  /**
   * It would succeed on a standby and mean something else there. `ofSession`: only because nobody knows which session it gets, so that it
   * means the same to whoever holds one.
   */
  | { readonly to: 'leader'; readonly because: string; readonly ofSession: boolean }
  /** It is refused before it is sent: behind it, a write marked as a read would go through. */
  | { readonly to: 'nowhere'; readonly because: string }

export const standby: ReadRoute = Object.freeze({ to: 'standby' })

export function leader(because: string): ReadRoute {
  return Object.freeze({ to: 'leader', because, ofSession: false })
}

export function leaderUnlessHeld(because: string): ReadRoute {
  return Object.freeze({ to: 'leader', because, ofSession: true })
}

export function nowhere(because: string): ReadRoute {
  return Object.freeze({ to: 'nowhere', because })
}

/** What is refused to the fewest comes first. */
function strictness(route: ReadRoute): number {
  if (route.to === 'leader') return route.ofSession ? 1 : 2
  return route.to === 'standby' ? 0 : 3
}

/** The stricter of two, the first of equals. */
export function stricter(first: ReadRoute, second: ReadRoute): ReadRoute {
  return strictness(second) > strictness(first) ? second : first
}
