import type { Host } from './host'
import type { PostgresMajor } from './major'

export interface ClusterOptions {
  /** How many hosts, 3 by default. */
  readonly hosts?: number
  /** PostgreSQL's major; by default `PG_LEADER_TEST_POSTGRES`, else 18. */
  readonly major?: PostgresMajor
  /** Lines for every host's postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Standbys are known by their host's name. */
  readonly synchronousStandbyNames?: string
  /** Every primary archives its WAL in one directory, from which every standby restores what it lacks. */
  readonly archive?: boolean
}

export interface FailoverOptions {
  /** How the primary is lost: `kill` (default), a stop, or `freeze`: it stays, holds its connections, and believes to lead. */
  readonly lose?: 'kill' | 'fast' | 'immediate' | 'freeze'
  /** How long there is no primary before the promotion; 0 by default. */
  readonly leaderlessMillis?: number
}

export interface SwitchoverOptions {
  /** How long after the promotion the others begin to follow, the old primary included. 0 by default. */
  readonly followAfterMillis?: number
}

/** Real PostgreSQL servers with streaming replication between them. */
export interface Cluster {
  /** In order of their names. The first starts as the primary, the others as streaming standbys of it. */
  readonly hosts: readonly Host[]
  readonly user: string
  readonly password: string
  readonly database: string
  /** A URI that lists every host. */
  connectionString(parameters?: Readonly<Record<string, string>>): string
  /** A URI of one host. */
  connectionStringFor(host: Host, parameters?: Readonly<Record<string, string>>): string
  /** Asks the servers. A killed or frozen one is not asked; of two primaries the one on the higher timeline is it. */
  primary(): Promise<Host>
  /** Resolves when the server says that it is out of recovery. */
  promote(host: Host): Promise<void>
  /** Tells a running standby to follow another server, and waits until it streams from it. */
  repoint(host: Host, upstream: Host): Promise<void>
  /** Makes a host, whatever state it is in, a standby of `upstream` by a base backup; what it had is lost. */
  rejoin(host: Host, upstream: Host): Promise<void>
  /** Unplanned: the primary is lost, `to` promoted, the remaining standbys follow it (by a base backup if they were ahead). */
  failover(to: Host, options?: FailoverOptions): Promise<void>
  /** Planned: nothing is lost, and the old primary comes back as a standby of `to`. */
  switchover(to: Host, options?: SwitchoverOptions): Promise<void>
  /** One more streaming standby of the current primary. */
  addHost(): Promise<Host>
  /** Until every running standby has replayed what the primary has written by now. */
  waitForReplication(timeoutMillis?: number): Promise<void>
  /** Everything gone: processes, directories, locks. */
  stop(): Promise<void>
}
