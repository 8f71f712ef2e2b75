import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type pg from 'pg'
import * as installed from 'pg'
import * as source from '../../src/index'
import { pgPackage } from './support/implementations'

type Shape = Record<string, unknown>

const root = fileURLToPath(new URL('../../', import.meta.url))
const look = fileURLToPath(new URL('./support/esm-shape.mjs', import.meta.url))
const execute = promisify(execFile)
const require = createRequire(import.meta.url)
const newest = require('pg') as Shape
/** What we put in the place of pg's own. */
const replaced = ['Pool', 'Client', 'native']

/** `_pools` is a leftover that pg itself never reads. */
const keysOf = (module: Shape): string[] =>
  Object.keys(module)
    .filter((key) => !key.startsWith('_') && key !== 'default')
    .sort()

function checkShape(module: Shape, of: Shape): void {
  expect(keysOf(of)).toEqual(expect.arrayContaining(['Pool', 'Client', 'types', 'defaults']))
  for (const key of keysOf(of)) {
    expect(key in module, `${key} is exported`).toBe(true)
    if (!replaced.includes(key)) expect(module[key], key).toBe(of[key])
  }
  const { Pool, Client } = module as { Pool: typeof pg.Pool; Client: typeof pg.Client }
  expect(Pool.prototype).toBeInstanceOf(of.Pool as typeof pg.Pool)
  expect(Client.prototype).toBeInstanceOf(of.Client as typeof pg.Client)
  expect(Pool).not.toBe(of.Pool)
  expect(Client).not.toBe(of.Client)
  expect((Client as unknown as { Query: unknown }).Query).toBe((of.Client as { Query?: unknown }).Query)
  expect('native' in module).toBe(true)
  expect(module.native).toBe(null)
}

describe(`the source, beside ${pgPackage}`, () => {
  it('exports everything that pg exports by name, by the same value', () => {
    checkShape(source, installed)
  })
})

const cjs = `${root}dist/index.js`
const esm = `${root}dist/index.mjs`

describe('the built package (`npm run build` comes first)', () => {
  it('CJS: require gives a pg-shaped module', () => {
    checkShape(require(cjs) as Shape, newest)
  })

  it('CJS: nothing marks it as a compiled ES module, as nothing marks pg', () => {
    expect('__esModule' in (require(cjs) as Shape)).toBe('__esModule' in newest)
    expect(Object.isExtensible(require(cjs))).toBe(true)
    expect(Object.getOwnPropertyDescriptor(require(cjs), 'defaults')).toMatchObject({
      writable: true,
      enumerable: true,
    })
  })

  it('ESM: the same values by name, and the same module by default', async () => {
    const { stdout } = await execute(process.execPath, [look, pathToFileURL(esm).href, cjs])
    const { names, ...rest } = JSON.parse(stdout) as { names: string[] }
    expect(rest).toEqual({ missing: [], different: [], defaultIsTheModule: true })
    const ofPg = Object.keys(installed).filter((key) => key !== 'default')
    expect(ofPg).toContain('Client')
    for (const name of ofPg) expect(names, name).toContain(name)
  })
})
