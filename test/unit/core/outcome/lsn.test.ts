import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseLsn } from '../../../../src/core/outcome/lsn'

const half = fc.nat({ max: 0xffffffff })

describe('parseLsn', () => {
  it('reads two halves in hexadecimal', () => {
    expect(parseLsn('0/0')).toBe(0n)
    expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n)
    expect(parseLsn('16/b374d848')).toBe(0x16_b374_d848n)
    expect(parseLsn('FFFFFFFF/FFFFFFFF')).toBe(2n ** 64n - 1n)
  })

  it('keeps the order of positions, and their distance', () => {
    fc.assert(
      fc.property(half, half, half, half, (a, b, c, d) => {
        const one = parseLsn(`${a.toString(16)}/${b.toString(16).toUpperCase()}`)
        const other = parseLsn(`${c.toString(16)}/${d.toString(16)}`)
        expect((one ?? 0n) - (other ?? 0n)).toBe((BigInt(a) - BigInt(c)) * 2n ** 32n + BigInt(b) - BigInt(d))
      }),
    )
  })

  it.each([null, undefined, '', '0', '/', '0/', '/0', '0/0/0', '0/123456789', 'g/0', ' 0/0', '0/0\n', '-1/0', '0x1/0'])(
    'knows no position in %j',
    (text) => {
      expect(parseLsn(text)).toBeUndefined()
    },
  )
})
