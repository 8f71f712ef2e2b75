import { describe, expect, it } from 'vitest'
import { serverCode } from '../../../../src/core/retry/sqlstate'

describe('serverCode', () => {
  it('is the SQLSTATE of what a server sent, and of nothing else', () => {
    const fromServer = Object.assign(new Error('duplicate key'), { code: '23505', severity: 'FEHLER' })
    expect(serverCode(fromServer)).toBe('23505')
    expect(serverCode(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))).toBeUndefined()
    expect(serverCode(new Error('timeout expired'))).toBeUndefined()
    expect([undefined, null, 'text', {}].map(serverCode)).toEqual([undefined, undefined, undefined, undefined])
  })
})
