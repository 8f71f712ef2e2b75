import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { pgPackage } from './implementations'
import type { Subject } from './parity'

export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The lines that the scenario said. */
  readonly said: readonly string[]
  readonly stderr: string
}

/** Runs a scenario of `scenarios.ts` in a process of its own, with the pool of this row, and waits until it is gone. */
export type RunScenario = (subject: Subject, scenario: string) => Promise<ChildResult>

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Compiles the scenarios once for all the children of a file: compiling takes longer than running. */
export function useScenarios(): RunScenario {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pg-leader-parity-'))
    await build({
      config: false,
      entry: [fileURLToPath(new URL('./scenarios.ts', import.meta.url))],
      outDir: directory,
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
      silent: true,
      external: [/^pg/, 'debug'],
      esbuildOptions: (options) => {
        if (pgPackage !== 'pg') options.alias = { pg: pgPackage }
      },
    })
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  return async (subject, scenario) => {
    const child = spawn(process.execPath, ['--enable-source-maps', join(directory, 'scenarios.js')], {
      env: {
        ...process.env,
        NODE_PATH: join(root, 'node_modules'),
        PARITY_SCENARIO: scenario,
        PARITY_IMPLEMENTATION: subject.name,
        PARITY_OPTIONS: JSON.stringify(subject.options()),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    return { code, signal, said: stdout.split('\n').filter((line) => line !== ''), stderr }
  }
}
