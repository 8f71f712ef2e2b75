import type { Verdict } from './authority'
import type { Failure, HostKey, Observation } from './host'

/**
 * News about the cluster. Every event carries its own time (milliseconds of a monotonic clock), so the reducer needs
 * none. Of a probe it is the time at which the question was *sent*.
 */
export type TopologyEvent =
  | { readonly type: 'observed'; readonly at: number; readonly host: HostKey; readonly answer: Observation }
  | { readonly type: 'failed'; readonly at: number; readonly host: HostKey; readonly failure: Failure }
  /** It would have answered, but its places are all taken (53300): alive, and as far as is known what it was. */
  | { readonly type: 'full'; readonly at: number; readonly host: HostKey; readonly failure: Failure }
  | { readonly type: 'suspected'; readonly at: number; readonly host: HostKey }
  | { readonly type: 'tick'; readonly at: number }
  | { readonly type: 'hosts'; readonly at: number; readonly keys: readonly HostKey[] }
  | { readonly type: 'reset'; readonly at: number }
  /** The authority answered, or could not be asked; `at` is when that was heard, since a lease may be over by then. */
  | { readonly type: 'spoken'; readonly at: number; readonly verdict: Verdict }
  | { readonly type: 'speechless'; readonly at: number; readonly reason: string }
  /** This process was blocked: what is due by time waits until then, so that what was told meanwhile is heard first. */
  | { readonly type: 'stalled'; readonly at: number; readonly until: number }
