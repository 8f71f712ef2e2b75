import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as PgLeader from '../../src/index'

/** The top of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const built = join(root, 'dist', 'index.js')

/**
 * What users get: the build, made anew if a source is younger. Every process of one run loads the same copy of it,
 * whatever is built meanwhile.
 *
 * @returns the path of that copy, which is removed when this process ends.
 */
export function buildLibrary(): string {
  if (builtAt() < youngest(join(root, 'src'))) {
    console.log('dist is older than src: building')
    const { status } = spawnSync('npm', ['run', 'build', '--silent'], { cwd: root, stdio: 'inherit' })
    if (status !== 0) throw new Error(`npm run build ended with ${status}`)
  }
  const directory = join(root, 'temp', `bench-${process.pid}`)
  mkdirSync(directory, { recursive: true })
  process.once('exit', () => {
    rmSync(directory, { recursive: true, force: true })
  })
  const path = join(directory, 'index.js')
  copyFileSync(built, path)
  return path
}

/** Loads the copy that {@link buildLibrary} made. */
export function loadLibrary(path: string): typeof PgLeader {
  return createRequire(import.meta.url)(path) as typeof PgLeader
}

function builtAt(): number {
  return statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

function youngest(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs))
}
