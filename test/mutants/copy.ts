import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Mutant } from './mutant'

const root = resolve(import.meta.dirname, '../..')
const parts = [
  'src',
  'config',
  'test/spec',
  'test/unit',
  'test/simulation',
  'test/support',
  'package.json',
  'tsconfig.json',
]
const vitest = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'config/vitest.config.mts',
  '--project',
  'unit',
  '--project',
  'simulation',
]

/** Far longer than any run of tests takes. */
const longestMillis = 180_000

/** How many histories a simulation plays here, and which: what a mutant is noticed by is to be the same in every run. */
const simulation = { PG_LEADER_RUNS: '1000', PG_LEADER_SEED: '1' }

/** What a run of tests came to. */
export interface Run {
  readonly green: boolean
  /** How many tests ran. */
  readonly count: number
  readonly failed: readonly string[]
  readonly output: string
}

/** A copy of the tree in which sources may be broken: nobody's checkout is ever touched. */
export class Copy {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pg-leader-mutants-'))

  constructor() {
    for (const part of parts) cpSync(join(root, part), join(this.#folder, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(this.#folder, 'node_modules'))
  }

  /** Runs the tests that are to notice it with the mutant in place. */
  async runWith({ file, text, instead, tests, noticedBy }: Mutant): Promise<Run> {
    const path = join(this.#folder, file)
    const original = readFileSync(path, 'utf8')
    writeFileSync(path, original.split(text).join(instead))
    try {
      return await this.run([tests], noticedBy)
    } finally {
      writeFileSync(path, original)
    }
  }

  /** `name`: of the only test that is to run. */
  async run(tests: readonly string[], name?: string): Promise<Run> {
    const report = join(this.#folder, 'report.json')
    rmSync(report, { force: true })
    const only = name === undefined ? [] : ['--testNamePattern', name.replace(/[()]/g, '\\$&')]
    const args = [...vitest, '--reporter=json', `--outputFile=${report}`, ...only, ...tests]
    const { green, output, ended } = await node(args, this.#folder)
    if (!ended) return { green, count: 0, failed: [`has not ended after ${longestMillis / 1000} s`], output }
    const results = resultsOf(report).filter(({ status }) => status === 'failed' || status === 'passed')
    const failed = results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)
    return { green, count: results.length, failed, output }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** How often a mutant's text is in the file as it is now. */
export function occurrences({ file, text }: Mutant): number {
  return readFileSync(join(root, file), 'utf8').split(text).length - 1
}

interface Ended {
  readonly green: boolean
  readonly output: string
  /** By itself. */
  readonly ended: boolean
}

/** What never comes to an end has been noticed: vitest cannot stop a test that is a loop, so all of its processes are ended. */
function node(args: readonly string[], cwd: string): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...simulation }, detached: true })
  let output = ''
  let ended = true
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const limit = setTimeout(() => {
    ended = false
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, longestMillis)
  return new Promise((done) => {
    child.on('close', (code) => {
      clearTimeout(limit)
      done({ green: code === 0, output, ended })
    })
  })
}

interface Result {
  readonly status: string
  readonly fullName: string
}

function resultsOf(report: string): readonly Result[] {
  if (!existsSync(report)) return []
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as { testResults: { assertionResults: Result[] }[] }
  return testResults.flatMap(({ assertionResults }) => assertionResults)
}
