import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** Below 32768, where the system's own client sockets begin. */
const LOWEST = 20_000
const HIGHEST = 32_000

export interface PortReservation {
  readonly port: number
  /** Holds the port for us among test processes, also while its server is down; removed by the guardian. */
  readonly lockFile: string
}

/**
 * A port nobody uses: locked against other test processes, tried against everybody else. Somebody may still take it
 * before the server does, so starting a server must be ready to ask for another one.
 */
export async function reservePort(cache: string): Promise<PortReservation> {
  const directory = join(cache, 'ports')
  mkdirSync(directory, { recursive: true })
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    const lockFile = join(directory, String(port))
    if (!lock(lockFile)) continue
    if (await isFree(port)) return { port, lockFile }
    releasePort(lockFile)
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} in 200 attempts; locks are in ${directory}`)
}

/** Lets others have a port. */
export function releasePort(lockFile: string): void {
  rmSync(lockFile, { force: true })
}

function lock(lockFile: string): boolean {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Not taken over at once: two who find the same stale lock would both believe that they hold it.
    if (isStale(lockFile)) rmSync(lockFile, { force: true })
    return false
  }
}

function isStale(lockFile: string): boolean {
  try {
    const owner = Number(readFileSync(lockFile, 'utf8'))
    // Empty: its owner has created it and not yet written, or died in between.
    if (owner === 0) return Date.now() - statSync(lockFile).mtimeMs > 60_000
    process.kill(owner, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
