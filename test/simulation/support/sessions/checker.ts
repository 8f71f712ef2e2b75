import type { HostKey } from '../../../../src/core/topology/host'

/** Something that was done, and has succeeded; what began after something else had ended comes after it. */
export interface Done {
  /** By which session; undefined: outside of all. */
  readonly session: number | undefined
  readonly began: number
  readonly ended: number
  /** The write that it was. */
  readonly wrote?: number
  /** Of a read: what it saw, and where. */
  readonly saw?: { readonly writes: readonly number[]; readonly host: HostKey; readonly leads: boolean }
  /** Of a read after a position: all that was acknowledged when that was asked for. */
  readonly after?: readonly number[]
}

export type Promised = 'read your writes' | 'monotonic reads' | 'reads after a position'

/**
 * Which of the promises were broken, in words. `history`: the writes that no failover has cut off; that one was cut off is no
 * matter of where one reads.
 */
export function broken(all: readonly Done[], history: ReadonlySet<number>): ReadonlyMap<Promised, string> {
  const found = new Map<Promised, string>()
  for (const read of all) {
    const { saw, after = [] } = read
    if (saw === undefined) continue
    const seen = new Set(saw.writes)
    const before = all.filter(
      ({ session, ended }) => session !== undefined && session === read.session && ended < read.began,
    )
    const wanted: Readonly<Record<Promised, readonly number[]>> = {
      'read your writes': before.flatMap(({ wrote }) => (wrote === undefined ? [] : [wrote])),
      'monotonic reads': before.flatMap((each) => each.saw?.writes ?? []),
      'reads after a position': after,
    }
    for (const [promised, writes] of Object.entries(wanted) as [Promised, readonly number[]][]) {
      const missing = writes.find((write) => !seen.has(write) && history.has(write))
      if (missing === undefined || found.has(promised)) continue
      found.set(promised, `session ${read.session} did not see ${missing} at ${read.began} on ${saw.host}`)
    }
  }
  return found
}
