import { spawn } from 'node:child_process'
import type { ServerIdentity } from './identity'

export interface RunOptions {
  readonly identity?: ServerIdentity
  readonly cwd?: string
  /** Lets a non-zero exit pass when this says so. */
  readonly tolerate?: (stderr: string) => boolean
}

/**
 * The environment of every server and tool. Nothing of ours is inherited: a `PGHOST` or `PGSSLMODE` of the test process
 * would otherwise steer the standbys' libpq.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

/** Runs a tool to its end, without ever blocking the event loop: the client under test may live in this process. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: serverEnvironment(),
      cwd: options.cwd ?? '/',
      ...options.identity,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 || (code !== null && options.tolerate?.(stderr))) resolve(stdout)
      else reject(new Error(`${command} ended with ${signal ?? code}: ${stderr.trim().slice(-2000)}`))
    })
  })
}
