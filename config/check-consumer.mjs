// Installs the packed tarball into scratch projects beside the pg and the types it asks for, then uses it as applications do: imported, required,
// through a default import compiled to CommonJS, with `skipLibCheck` off and with `esModuleInterop` off. Usage: check-consumer.mjs <tarball>
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '..')
const tarball = resolve(process.argv[2])
const folder = mkdtempSync(join(tmpdir(), 'pg-leader-consumer-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const named = `
import { Client, Pool, types, type PoolClient, type PoolConfig, type QueryResult } from 'pg-leader'
import type { Pool as PgPool } from 'pg'
export const options: PoolConfig = { host: 'db1' }
export const pool = new Pool(options)
export const asPg: PgPool = pool
export const client: Client = new Client(options)
export async function one(): Promise<QueryResult<{ n: number }>> {
  const borrowed: PoolClient = await pool.connect()
  borrowed.release()
  return pool.query<{ n: number }>('select 1 as n')
}
export const parser: (value: string) => unknown = types.getTypeParser(23)
`
const whole = `
import pg from 'pg-leader'
export const pool: pg.Pool = new pg.Pool()
export const client: pg.Client = new pg.Client()
export const one = (): Promise<pg.QueryResult<{ n: number }>> => pool.query<{ n: number }>('select 1 as n')
`
const required = `
import pg = require('pg-leader')
const { Pool } = require('pg-leader') as typeof import('pg-leader')
export const pool: pg.Pool = new Pool()
`
const subpath = `
import { Pool, type StatementParser } from 'pg-leader'
import { loadParser } from 'pg-leader/parser'
export const open = async (): Promise<Pool> => {
  const parser: StatementParser = await loadParser()
  return new Pool({ readOnly: { routeReads: 'parsed', parser } })
}
`
/** What must not type-check: the whole module has no \`default\` of its own. */
const noDefault = `
import pg from 'pg-leader'
// @ts-expect-error
export const wrong = pg.default
`
const run = {
  'default.mjs': `import pg, { Pool } from 'pg-leader'; import real from 'pg'; check(pg.Pool === Pool && new Pool() instanceof real.Pool && !('default' in pg) && pg.types === real.types)`,
  'require.cjs': `const pg = require('pg-leader'); const { Pool } = require('pg-leader'); check(pg.Pool === Pool && new Pool() instanceof require('pg').Pool && pg.__esModule === undefined)`,
  'parser.mjs': `import { createRequire } from 'node:module'; import { loadParser } from 'pg-leader/parser'; const cjs = createRequire(import.meta.url)('pg-leader/parser'); const error = await loadParser().catch((error) => error); check(cjs.loadParser === loadParser && /npm install libpg-query/.test(error.message) && error.cause.code === 'ERR_MODULE_NOT_FOUND')`,
  'both.mjs': `import { createRequire } from 'node:module'; import * as esm from 'pg-leader'; const cjs = createRequire(import.meta.url)('pg-leader'); check(esm.default === cjs && Object.keys(cjs).every((name) => name.startsWith('_') || esm[name] === cjs[name]))`,
}

write('package.json', '{}')
mkdirSync(join(folder, 'node_modules/pg-leader'), { recursive: true })
execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(folder, 'node_modules/pg-leader')])
for (const name of ['pg', 'debug', 'ms', 'pg-types', 'pg-protocol', '@types', 'undici-types']) link(name)

const { CommonJS, ESNext, Node16 } = ts.ModuleKind
const { Bundler, Node10 } = ts.ModuleResolutionKind
const problems = [
  ...typeCheck(
    { module: Node16 },
    {
      'named.mts': named,
      'named.cts': named,
      'whole.mts': whole,
      'whole.cts': whole,
      'required.cts': required,
      'no-default.mts': noDefault,
      'subpath.mts': subpath,
      'subpath.cts': subpath,
    },
  ),
  ...typeCheck(
    { module: ESNext, moduleResolution: Bundler },
    { 'named-bundler.ts': named, 'whole-bundler.ts': whole, 'no-default-bundler.ts': noDefault },
  ),
  ...typeCheck(
    { module: CommonJS, moduleResolution: Node10, esModuleInterop: false },
    { 'named-no-interop.ts': named },
  ),
  ...Object.entries(run).flatMap(([name, text]) =>
    execute(name, `${text}\nfunction check(ok) { if (!ok) throw new Error('not so') }`),
  ),
  // What TypeScript, Babel and their like make of \`import pg from 'pg-leader'\` in a CommonJS project.
  ...execute(
    'compiled.cjs',
    ts.transpileModule(`${whole}\nif (pool.constructor !== pg.Pool) throw new Error('not so')`, {
      compilerOptions: { module: CommonJS, esModuleInterop: true },
    }).outputText,
  ),
]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

function write(name, text) {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

function link(name) {
  symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
}

function typeCheck(options, files) {
  const paths = Object.entries(files).map(([name, text]) => write(name, text))
  const program = ts.createProgram(paths, {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    strict: true,
    esModuleInterop: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(folder, 'node_modules/@types')],
    preserveSymlinks: true,
    ...options,
  })
  // `skipLibCheck` is off, but only these files and our own declarations are asked: what others' types say of each other is not our matter.
  const asked = program
    .getSourceFiles()
    .filter((file) => paths.includes(file.fileName) || file.fileName.includes('/pg-leader/dist/'))
  return [
    ...program.getOptionsDiagnostics(),
    ...asked.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ].map(({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}

function execute(name, text) {
  try {
    execFileSync(process.execPath, [write(name, text)], { stdio: 'pipe', cwd: folder })
    return []
  } catch (error) {
    return [`${name}: ${String(error.stderr || error)}`]
  }
}
