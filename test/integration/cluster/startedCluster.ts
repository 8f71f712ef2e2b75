// A program of its own: starts a cluster, says what it started, and waits to be killed.
import { startCluster } from '../../support/index'

/** What the program prints, as one line of JSON. */
export interface Started {
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  readonly directories: readonly string[]
  readonly binaries: string
}

async function main(): Promise<void> {
  process.umask(0o077)
  const cluster = await startCluster({ hosts: Number(process.argv[2]) })
  const [primary, standby] = cluster.hosts
  // Guarding must not depend on how its wards are.
  if (primary !== undefined && standby !== undefined) {
    await primary.freeze()
    process.kill(standby.pid ?? Number.NaN, 'SIGKILL')
  }
  const config = await (cluster.hosts[2] ?? primary)?.query<{ setting: string }>(
    `select setting from pg_config where name = 'BINDIR'`,
  )
  const started: Started = {
    ports: cluster.hosts.map(({ port }) => port),
    pids: cluster.hosts.map(({ pid }) => pid ?? 0),
    directories: cluster.hosts.map(({ dataDirectory }) => dataDirectory),
    binaries: config?.[0]?.setting ?? '',
  }
  console.log(JSON.stringify(started))
  setInterval(() => undefined, 1000)
}

void main()
