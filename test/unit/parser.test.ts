import { afterEach, describe, expect, it, vi } from 'vitest'
import { functions, operators, relations, types } from '../../src/core/routing/parsed/built-ins'
import { routeOfFunction } from '../../src/core/routing/pinned'
import { loadParser } from '../../src/parser'

describe('loadParser', () => {
  afterEach(() => {
    vi.doUnmock('libpg-query')
    vi.resetModules()
  })

  it('says what to do if libpg-query is not installed', async () => {
    const cause = Object.assign(new Error("Cannot find package 'libpg-query'"), { code: 'ERR_MODULE_NOT_FOUND' })
    vi.doMock('libpg-query', () => {
      throw cause
    })
    await expect(loadParser()).rejects.toThrow(/npm install libpg-query@18/)
    await expect(loadParser()).rejects.toHaveProperty('cause')
  })

  it('gives a parser that throws at what is no statement, and lives on', async () => {
    const parser = await loadParser()
    expect(() => parser.isRead('selec')).toThrow()
    expect(() => parser.isRead('')).toThrow()
    expect(() => parser.isRead(`select ${'1+('.repeat(20_000)}`)).toThrow()
    expect(parser.isRead('select 1')).toBe(true)
  })

  it('gives the same fingerprint to texts that differ in literals only', async () => {
    const { fingerprint } = await loadParser()
    expect(fingerprint('select a from t where b = 1')).toMatch(/^[0-9a-f]{16}$/)
    expect(fingerprint(`SELECT a FROM t WHERE b = 'x' -- y`)).toBe(fingerprint('select a from t where b = 1'))
    expect(fingerprint('select a from t where c = 1')).not.toBe(fingerprint('select a from t where b = 1'))
  })

  it('does not grow with what it reads', async () => {
    const parser = await loadParser()
    const texts = (from: number): void => {
      for (let n = from; n < from + 2000; n += 1) {
        parser.isRead(`select ${n}, a from t where b = '${'x'.repeat(n % 500)}'`)
        parser.fingerprint(`select ${n}, a from t where b = '${'x'.repeat(n % 500)}'`)
      }
    }
    texts(0)
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external
    texts(2000)
    texts(4000)
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().external - before).toBeLessThan(8 * 1024 * 1024)
  })
})

describe('what of PostgreSQL’s own may stand in a read', () => {
  it('is none of what goes to the leader by rule', () => {
    expect([...functions].filter((name) => routeOfFunction(name).to !== 'standby')).toEqual([])
  })

  it('is what everybody uses', () => {
    for (const name of ['now', 'lower', 'count', 'random', 'jsonb_agg']) {
      expect(functions.has(name)).toBe(true)
    }
    expect(operators.has('=') && operators.has('BETWEEN') && types.has('text') && relations.has('pg_class')).toBe(true)
  })
})
