import type { Pool } from '../src/index'
import type { Cluster } from '../test/support'
import type { Load } from './load'
import type { Line } from './style'

/** Something that happened; `at` is milliseconds since the load began. */
export interface Happening {
  readonly at: number
  readonly text: string
  readonly label?: string | undefined
}

/** All that there is to show. */
export class Stage {
  readonly cluster: Cluster
  readonly pool: Pool
  readonly load: Load
  readonly start: number
  readonly happenings: Happening[] = []
  now = ''

  constructor(cluster: Cluster, pool: Pool, load: Load, start: number) {
    this.cluster = cluster
    this.pool = pool
    this.load = load
    this.start = start
  }

  get elapsedMillis(): number {
    return performance.now() - this.start
  }

  /**
   * Who waits at the pool. Only where nobody leads do they wait for a leader, which is what the library calls held;
   * else they wait for a client to become free, as with any pool.
   */
  get waiting(): { readonly held: boolean; readonly callers: number } {
    return { held: this.pool.topology.leader === undefined, callers: this.pool.waitingCount }
  }

  happened(text: string, label?: string): void {
    this.happenings.push({ at: this.elapsedMillis, text, label })
  }

  /** The servers' names are easier to read than their ports. */
  nameOf(key: string | undefined): string {
    return this.cluster.hosts.find(({ host, port }) => `${host}:${port}` === key)?.name ?? key ?? 'nobody'
  }
}

/** Watches one run: the live screen, or plain lines. */
export interface Show {
  begin(stage: Stage): void
  /** What is to be read, afterwards, above the summary. */
  keepsake(stage: Stage, columns: number): readonly Line[]
  /** Takes everything back that was done to the terminal; harmless when nothing was. */
  end(): void
}
