import { existsSync, readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { defineConfig } from 'vitest/config'

const root = resolve(import.meta.dirname, '..')

/** Real servers start and stop in these: a process per file, and time to wait for them. */
const onServers = { pool: 'forks', testTimeout: 30_000, hookTimeout: 60_000 } as const

/** An image may have to be fetched. */
const onContainers = {
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 300_000,
  globalSetup: ['test/containers/support/global-setup.ts'],
} satisfies TestProjectInlineConfiguration['test']

const lowestPg = [
  { find: /^pg$/, replacement: 'pg-8.16' },
  { find: /^pg\//, replacement: 'pg-8.16/' },
]

const projects = [
  project('unit', ['unit', 'spec']),
  project('simulation', ['simulation'], { testTimeout: 30_000 }),
  project('integration', ['integration'], onServers),
  project('wire', ['wire'], { testTimeout: 30_000 }),
  project('wire-lowest', ['wire'], { testTimeout: 30_000 }, lowestPg),
  project('parity-newest', ['parity'], onServers),
  project('parity-lowest', ['parity'], onServers, lowestPg),
  project('examples', ['examples'], onServers),
  project('containers', ['containers'], onContainers),
  typeProject('types', 'types'),
]

export default defineConfig({
  root,
  test: {
    // `import 'pg-leader'` in a test is the built package: node loads it as in an application, ESM door and all.
    server: { deps: { external: [/\/dist\/index\.m?js$/] } },
    // Most of them wait for servers.
    maxWorkers: 2,
    projects: projects.filter((each) => each !== undefined),
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', 'json-summary'],
      reportsDirectory: 'coverage',
    },
  },
})

/** A project over folders of test/, or nothing while none of them holds a test. */
function project(
  name: string,
  folders: readonly string[],
  test: TestProjectInlineConfiguration['test'] = {},
  alias: { find: RegExp; replacement: string }[] = [],
): TestProjectInlineConfiguration | undefined {
  const filled = folders.filter((folder) => holds(folder, '.test.ts'))
  if (filled.length === 0) return undefined
  const include = filled.map((folder) => `test/${folder}/**/*.test.ts`)
  return { extends: true, resolve: { alias }, test: { ...test, name, include } }
}

function typeProject(name: string, folder: string): TestProjectInlineConfiguration | undefined {
  if (!holds(folder, '.test-d.ts')) return undefined
  const include = [`test/${folder}/**/*.test-d.ts`]
  const typecheck = { enabled: true, only: true, include, tsconfig: 'config/tsconfig.types.json' }
  return { extends: true, test: { name, include: [], typecheck } }
}

function holds(folder: string, ending: string): boolean {
  const path = resolve(root, 'test', folder)
  return (
    existsSync(path) && readdirSync(path, { encoding: 'utf8', recursive: true }).some((file) => file.endsWith(ending))
  )
}
