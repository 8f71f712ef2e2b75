import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import pg from 'pg'
import { expect, it } from 'vitest'
import { Pool } from '../../../src/index'
import { useCluster } from '../pool/support/clusters'

const cluster = useCluster({ hosts: 2 })
const program = fileURLToPath(new URL('./support/secrets-program.ts', import.meta.url))
const secrets = { PROGRAM_RIGHT: 'right-s3cret', PROGRAM_WRONG: 'wrong-s3cret', PROGRAM_BOUND: 'bound-s3cret' }

it('no password, key, connection string or bind value is in anything that is printed, not in a crash either', async () => {
  const [leader] = cluster().hosts
  await leader!.query(`create role keeper login superuser password '${secrets.PROGRAM_RIGHT}'`)
  await cluster().waitForReplication()
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    env: {
      ...process.env,
      ...secrets,
      DEBUG: 'pg-leader:*',
      DEBUG_DEPTH: '9',
      PROGRAM_PORTS: cluster()
        .hosts.map(({ port }) => port)
        .join(','),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]

  const leaks = `${stdout}\n${stderr}`.split('\n').filter((line) => line.includes('s3cret'))
  expect(leaks).toEqual([])
  // It went through all of it, and died of an error that a pool has told, which carries a client.
  expect(stdout).toMatch(/\nall was said\n$/)
  expect(code).toBe(1)
  expect(stderr).toMatch(/pg-leader:/)
  expect(stderr).toMatch(/code: '57P01'[^]*Node\.js v/)
  expect(stderr).not.toContain('connectionParameters')
  expect(stdout).toContain('the last error has a client: true')
  for (const told of [
    /unknown outcome told: OutcomeUnknownError/,
    /wrong password told: error: .*\n/,
    /held \d told: WaitQueueFullError/,
  ]) {
    expect(stdout).toMatch(told)
  }
  for (const event of ['connect', 'acquire', 'release', 'remove', 'error', 'topology']) {
    expect(stdout).toContain(`, event ${event}: `)
  }
})

it('options are hidden when they are printed, and there for whoever reads or copies them', () => {
  const connectionString = 'postgres://u:the-s3cret@db1,db2/d'
  const given = {
    connectionString,
    ssl: { passphrase: 'the-s3cret' },
    hosts: [{ host: 'db1', password: 'the-s3cret' }],
  }
  const { options } = new Pool(given) as unknown as { options: Record<string, unknown> }
  expect(options).toMatchObject(given)
  expect({ ...options }).toMatchObject(given)
  expect(Object.keys(options)).not.toContain('toJSON')
  for (const printed of [inspect(options, { depth: 9 }), JSON.stringify(options)]) {
    expect(printed).toContain('postgres://u:***@db1,db2/d')
    expect(printed).not.toContain('s3cret')
  }
  expect(inspect(new pg.Pool({ connectionString: 'postgres://u:the-s3cret@db1/d' }))).toContain('s3cret')
})
