import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { useCluster } from './support/clusters'

const cluster = useCluster({ hosts: 2 })
const program = fileURLToPath(new URL('./support/programs.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly said: readonly string[]
  readonly stderr: string
}

/** Runs one program to its end; a process that does not end by itself is a failure of the test. */
async function run(name: string, listens = false): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, name], {
    env: {
      ...process.env,
      PROGRAM_CONNECTION_STRING: cluster().connectionString(),
      PROGRAM_LEADER: cluster().connectionStringFor(cluster().hosts[0]!),
      PROGRAM_LISTENS: listens ? 'yes' : 'no',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const watchdog = setTimeout(() => child.kill('SIGKILL'), 25_000)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(watchdog)
  return { code, said: stdout.split('\n').filter((line) => line !== ''), stderr }
}

describe('a process without a single error listener', () => {
  it('lives when every backend is terminated', async () => {
    const { code, said, stderr } = await run('terminated')
    expect(stderr).toBe('')
    // A DO block may commit inside.
    expect(said.toSorted()).toEqual([
      'client.query: error 57P01',
      'ended',
      'pool.query: OutcomeUnknownError 08007',
      'works: 1',
    ])
    expect(code).toBe(0)
  })

  it('lives when a backend is killed -9 and the server restarts all others', async () => {
    const { code, said, stderr } = await run('killed')
    expect(stderr).toBe('')
    expect(said.toSorted()).toEqual([
      'client.query: Error Connection terminated unexpectedly',
      'ended',
      'pool.query: OutcomeUnknownError 08007',
      'works: 1',
    ])
    expect(code).toBe(0)
  })

  it('lives when backends, monitors and probes are terminated over and over', async () => {
    const { code, said, stderr } = await run('stormed')
    expect(stderr).toBe('')
    expect(said).toEqual(['works: 1', 'ended'])
    expect(code).toBe(0)
  })
})

describe('a process that listens on its pool', () => {
  it('hears of the idle client whose backend was terminated, as from pg-pool', async () => {
    const { said, stderr } = await run('terminated', true)
    expect(stderr).toBe('')
    expect(said.filter((line) => line.startsWith('pool error'))).toEqual(['pool error: 57P01'])
  })

  it('hears of the idle client whose server was killed', async () => {
    const { said, stderr } = await run('killed', true)
    expect(stderr).toBe('')
    expect(said.filter((line) => line.startsWith('pool error'))).toEqual([
      'pool error: Connection terminated unexpectedly',
    ])
  })
})

describe('a process ends by itself', () => {
  it('after end(), which leaves nothing behind', async () => {
    const { code, said, stderr } = await run('exitAfterEnd')
    expect(stderr).toBe('')
    expect(said).toEqual(['timers left: 0', 'counts: 0 0 0'])
    expect(code).toBe(0)
  })

  it('after end() while nobody answers', async () => {
    const { code, said } = await run('endWhileLeaderless')
    expect(said).toEqual(['told: Cannot use a pool after calling end on the pool', 'ended'])
    expect(code).toBe(0)
  })

  it('without end(), when the idle clients are gone', async () => {
    const { code, said } = await run('exitAfterIdling')
    expect(said).toEqual(['total at exit: 0'])
    expect(code).toBe(0)
  })

  it('without end(), when the pool was never used', async () => {
    expect(await run('exitWithoutWork')).toMatchObject({ code: 0, said: [], stderr: '' })
  })
})
