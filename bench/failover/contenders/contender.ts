import type { Target } from '../../support/target'

export const contenderNames = ['pg.Pool', 'hand-written', 'postgres.js', 'pg-leader'] as const
export type ContenderName = (typeof contenderNames)[number]

/** A way to reach the database. Every call settles as its library lets it; the port is that of the server that answered. */
export interface Contender {
  insert(run: number, id: number): Promise<number>
  /** Those who can be told that a statement may be sent twice are. */
  readonly upsert?: (run: number, id: number) => Promise<number>
  readonly read?: () => Promise<number>
  /** When it got to know of a new leader, by the shared clock, if it says so. */
  readonly noticedAt?: readonly number[]
}

export interface ContenderOptions {
  readonly target: Target
  /** Connections at the most. */
  readonly max: number
  /** Where the build of ours is. */
  readonly library: string
}
