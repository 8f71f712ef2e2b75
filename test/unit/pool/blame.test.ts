import { describe, expect, it } from 'vitest'
import { Blame } from '../../../src/pool/blame'

describe('who is at fault for an error', () => {
  it('is who was blamed for it, or for its cause', () => {
    const blame = new Blame()
    const error = blame.put('nobody', new Error('not now'))
    expect(blame.isPut(error)).toBe(true)
    expect(blame.of(error)).toBe('nobody')
    expect(blame.of(new Error('Connection terminated due to connection timeout', { cause: error }))).toBe('nobody')
  })

  it.each([
    [{ message: 'Connection terminated unexpectedly' }, 'host'],
    [{ message: 'Client has encountered a connection error and is not queryable' }, 'host'],
    [{ message: 'read ECONNRESET', code: 'ECONNRESET' }, 'host'],
    [{ message: 'terminating connection', code: '57P01', severity: 'FATAL' }, 'host'],
    [{ message: 'no such tenant' }, 'caller'],
    [{ message: 'no such tenant', code: 'ENOTENANT' }, 'caller'],
    [{ message: 'relation does not exist', code: '42P01', severity: 'ERROR' }, 'caller'],
  ])('%o, thrown by a hook of the pool: the %s', (thrown, culprit) => {
    expect(new Blame().of(Object.assign(new Error(), thrown))).toBe(culprit)
  })

  it.each([undefined, null, 'text', 5])('%s, thrown by a hook of the pool: the caller', (thrown) => {
    expect(new Blame().of(thrown)).toBe('caller')
  })
})
