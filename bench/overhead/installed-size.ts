import { execFile } from 'node:child_process'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../support/built-library'

const run = promisify(execFile)

/** A package as it lies on a user's disk. */
export interface InstalledPackage {
  readonly name: string
  readonly bytes: number
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
}

/** Ours, as it would be published, and what it depends on beyond what is there already. */
export async function ownPackages(present: readonly InstalledPackage[]): Promise<readonly InstalledPackage[]> {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root })
  const [packed] = JSON.parse(stdout) as { name: string; unpackedSize: number }[]
  if (packed === undefined) throw new Error('npm pack told nothing')
  return [
    { name: packed.name, bytes: packed.unpackedSize },
    ...dependenciesOf(root, new Set(present.map(({ name }) => name))),
  ]
}

/** A package of node_modules and what it depends on, each once. */
export function packagesOf(name: string): readonly InstalledPackage[] {
  return install(root, name, new Set())
}

function install(from: string, name: string, seen: Set<string>): readonly InstalledPackage[] {
  const directory = find(from, name)
  if (directory === undefined || seen.has(name)) return []
  seen.add(name)
  return [{ name, bytes: sizeOf(directory) }, ...dependenciesOf(directory, seen)]
}

function dependenciesOf(directory: string, seen: Set<string>): readonly InstalledPackage[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
  return Object.keys(dependencies).flatMap((name) => install(directory, name, seen))
}

/** Where node looks for it from there: not every package exports its package.json. */
function find(from: string, name: string): string | undefined {
  const paths = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  return paths
    .map((path) => join(path, name))
    .find((path) => statSync(join(path, 'package.json'), { throwIfNoEntry: false }))
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((total, entry) => {
    const path = join(directory, entry.name)
    // What is nested below is a package of its own.
    if (entry.isDirectory()) return entry.name === 'node_modules' ? total : total + sizeOf(path)
    return total + statSync(path).size
  }, 0)
}
