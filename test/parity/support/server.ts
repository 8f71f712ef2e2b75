import { afterAll, beforeAll } from 'vitest'
import { type Cluster, type Host, startCluster } from '../../support/index'

export interface Server {
  /** How to reach the one host, in pg's words. */
  readonly options: { host: string; port: number; user: string; password: string; database: string }
  connectionString(): string
  /** Asks over a connection of its own, so that no pool under test is disturbed. */
  ask<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>
  /** Ends the session of a client under test as an administrator would, and returns when the server has no such backend. */
  terminate(pid: number): Promise<void>
}

/** One real server for the tests of a file. */
export function useServer(): Server {
  let running: { cluster: Cluster; host: Host } | undefined
  beforeAll(async () => {
    const cluster = await startCluster({ hosts: 1 })
    running = { cluster, host: cluster.hosts[0]! }
  })
  afterAll(() => running?.cluster.stop())
  const up = () => {
    if (running === undefined) throw new Error('the server is there when a test runs, not before')
    return running
  }
  const ask = <Row>(text: string, values?: unknown[]): Promise<Row[]> => up().host.query<Row>(text, values)
  return {
    get options() {
      const {
        cluster: { user, password, database },
        host,
      } = up()
      return { host: host.host, port: host.port, user, password, database }
    },
    connectionString: () => up().cluster.connectionStringFor(up().host),
    ask,
    terminate: async (pid) => {
      await ask('select pg_terminate_backend($1, 10000)', [pid])
    },
  }
}
