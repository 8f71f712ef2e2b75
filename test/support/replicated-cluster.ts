import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, FailoverOptions, SwitchoverOptions } from './cluster'
import type { Host } from './host'
import { poll } from './poll'
import { followed, pointTo, replayed, timelineOf } from './replication'
import { withClient } from './session'
import { CREDENTIALS } from './template'

/** What clusters have in common, whatever their servers stand on: everything that is said to the servers themselves. */
export abstract class ReplicatedCluster implements Cluster {
  readonly user = CREDENTIALS.user
  readonly password = CREDENTIALS.password
  readonly database = CREDENTIALS.database

  abstract get hosts(): readonly Host[]
  abstract rejoin(host: Host, upstream: Host): Promise<void>
  abstract switchover(to: Host, options?: SwitchoverOptions): Promise<void>
  abstract addHost(): Promise<Host>
  abstract stop(): Promise<void>

  connectionString(parameters: Readonly<Record<string, string>> = {}): string {
    return this.#uri(this.hosts, parameters)
  }

  connectionStringFor(host: Host, parameters: Readonly<Record<string, string>> = {}): string {
    return this.#uri([host], parameters)
  }

  async primary(): Promise<Host> {
    const asked = this.hosts.filter((host) => host.running && !host.frozen)
    const answers = await Promise.all(
      asked.map(async (host) => ({ host, timeline: await timelineOf(host).catch(() => undefined) })),
    )
    const [best] = answers
      .filter((answer) => answer.timeline !== undefined)
      .sort((a, b) => (b.timeline ?? 0) - (a.timeline ?? 0))
    if (best === undefined)
      throw new Error(`none of ${asked.map(({ name }) => name).join(', ') || 'the hosts'} is a primary`)
    return best.host
  }

  async promote(host: Host): Promise<void> {
    await withClient(host, async (client) => {
      // pg_promote itself looks only every 100 ms whether it is done.
      await client.query('select pg_promote(false)')
      const text = 'select pg_is_in_recovery() as recovering'
      await poll(async () => !(await client.query<{ recovering: boolean }>(text)).rows[0]?.recovering, {
        what: `${host.name} is promoted`,
        intervalMillis: 2,
      })
    })
  }

  async repoint(host: Host, upstream: Host): Promise<void> {
    if ((await this.#follow(host, upstream)) === 'diverged') {
      throw new Error(`${host.name} has replayed what ${upstream.name} never had and cannot follow it: rejoin() it`)
    }
  }

  async failover(to: Host, { lose = 'kill', leaderlessMillis = 0 }: FailoverOptions = {}): Promise<void> {
    const old = await this.primary()
    if (old === to) throw new Error(`${to.name} is the primary already`)
    switch (lose) {
      case 'kill':
        await old.kill()
        break
      case 'freeze':
        await old.freeze()
        break
      case 'fast':
      case 'immediate':
        await old.stop(lose)
        break
      default:
        lose satisfies never
    }
    if (leaderlessMillis > 0) await sleep(leaderlessMillis)
    await this.promote(to)
    await this.gather(to, old)
  }

  async waitForReplication(timeoutMillis?: number): Promise<void> {
    const primary = await this.primary()
    const [row] = await primary.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn')
    const others = this.hosts.filter((host) => host !== primary && host.running && !host.frozen)
    await Promise.all(
      others.map(async (host) => {
        // An old primary that came back by itself replays nothing.
        if ((await timelineOf(host)) !== undefined) return
        await replayed(host, row?.lsn ?? '0/0', timeoutMillis)
      }),
    )
  }

  async #follow(host: Host, upstream: Host): Promise<'streams' | 'diverged' | 'paused'> {
    const offset = (await host.log()).length
    await pointTo(host, upstream)
    return followed(host, upstream, offset)
  }

  /** The standbys that are left follow the new primary. One that had received more than that needs a new copy. */
  protected async gather(to: Host, old: Host): Promise<void> {
    const standbys = this.hosts.filter((host) => host !== to && host !== old && host.running && !host.frozen)
    await Promise.all(
      standbys.map(async (host) => {
        if ((await timelineOf(host)) !== undefined) return
        if ((await this.#follow(host, to)) === 'diverged') await this.rejoin(host, to)
      }),
    )
  }

  #uri(hosts: readonly Host[], parameters: Readonly<Record<string, string>>): string {
    const list = hosts.map(({ host, port }) => `${host}:${port}`).join(',')
    const user = `${encodeURIComponent(this.user)}:${encodeURIComponent(this.password)}`
    const query = Object.entries(parameters)
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .join('&')
    return `postgres://${user}@${list}/${this.database}${query && `?${query}`}`
  }
}
