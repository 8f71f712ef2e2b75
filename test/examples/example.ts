import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { expect } from 'vitest'
import type { Cluster, Host } from '../support'

const root = resolve(import.meta.dirname, '../..')

/** So many writes, 20 ms apart, that the middle of the run is seconds away from its end. */
const WRITES = 300

/** An example to run, and where its writes are found. */
export interface Example {
  readonly file: string
  /** Its columns: id, and the port of the server that executed the insert. */
  readonly table: string
  /** All of PG* and DATABASE_URL that it gets: those of the test process are not passed on. */
  readonly env: Readonly<Record<string, string>>
}

/** Runs an example as a reader would, loses the leader in its middle, and holds it to its word. */
export async function runThroughFailover(
  cluster: Cluster,
  { file, table, env }: Example,
  loseLeader: (to: Host) => Promise<void>,
): Promise<void> {
  const old = await cluster.primary()
  const to = cluster.hosts.find((host) => host !== old) as Host
  const loader = file.endsWith('.ts') ? ['--import', 'tsx'] : []
  const child = spawn(process.execPath, [...loader, resolve(root, 'examples', file), String(WRITES)], {
    cwd: root,
    env: { ...inherited(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    let output = ''
    let failover: Promise<void> | undefined
    const listen = (chunk: string): void => {
      output += chunk
      if (output.includes('50 written')) failover ??= loseLeader(to)
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    const [code] = (await once(child, 'close')) as [number | null]
    await failover

    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(`${WRITES} written, none failed`) })
    const rows = await to.query<{ id: number; port: number }>(`select id, port from ${table} order by id`)
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: WRITES }, (_, index) => index + 1))
    // First the old leader took them, then the new one, and nobody went back.
    const ports = rows.map(({ port }) => port).filter((port, index, all) => port !== all[index - 1])
    expect(ports).toEqual([old.port, to.port])
  } finally {
    child.kill('SIGKILL')
  }
}

function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^PG|^DATABASE_URL$/.test(name)))
}
