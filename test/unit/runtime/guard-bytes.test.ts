import { EventEmitter } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startupBytes } from '../../../src/core/wire/startup'
import { guardBytes } from '../../../src/runtime/guard-bytes'
import type { Guard } from '../../../src/runtime/guard-bytes'
import { header, message } from '../../support/backend'

class Source extends EventEmitter {
  error: (Error & { code?: string }) | undefined
  destroy(error?: Error): void {
    this.error ??= error
  }
}

/** A guarded stream, and the parser behind it. */
function guarded(parse: (chunk: Buffer, guard: Guard) => void): { source: Source; guard: Guard } {
  const source = new Source()
  const connection = {
    attachListeners(stream: { on(event: string, listener: (chunk: Buffer) => void): unknown }): void {
      stream.on('data', (chunk) => parse(chunk, guard))
    },
  }
  const guard = guardBytes(connection)
  connection.attachListeners(source)
  return { source, guard }
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index])).filter(({ length }) => length > 0)
}

describe('guardBytes', () => {
  const body = fc.uint8Array({ maxLength: 30 })
  const messages = fc.array(fc.tuple(fc.constantFrom('Z', 'K', 'D', 'd', '1'), body), { minLength: 1, maxLength: 12 })

  it('passes on what comes, however it is cut, one message at a time until it is lifted', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.nat()), fc.nat(12), (list, places, liftAfter) => {
        const whole = list.map(([type, rest]) => message(type, rest))
        const seen: Buffer[] = []
        const { source, guard } = guarded((chunk, its) => {
          seen.push(Buffer.from(chunk))
          if (seen.length === liftAfter) its.lift()
        })
        if (liftAfter === 0) guard.lift()
        for (const chunk of cut(Buffer.concat(whole), places)) source.emit('data', chunk)
        expect(Buffer.concat(seen)).toEqual(Buffer.concat(whole))
        expect(seen.slice(0, liftAfter)).toEqual(whole.slice(0, liftAfter))
        expect(source.error).toBeUndefined()
      }),
    )
  })

  it('looks at what is sent to a session that is ready, and passes on what comes before a flaw', () => {
    const seen: Buffer[] = []
    const { source, guard } = guarded((chunk) => seen.push(chunk))
    guard.lift()
    source.emit('data', Buffer.concat([message('Z', 'I'), message('E', 'SERROR\0'), message('Z', 'I')]))
    source.emit('data', message('Z', 'I'))
    expect(seen).toEqual([message('Z', 'I')])
    expect(source.error).toMatchObject({ code: '08P01', message: expect.stringContaining('has no end') as string })
  })

  it('counts anew when told to', () => {
    const { source, guard } = guarded(() => undefined)
    const half = message('S', Buffer.alloc(startupBytes / 2))
    source.emit('data', half)
    guard.restart()
    source.emit('data', half)
    expect(source.error).toBeUndefined()
    source.emit('data', half)
    expect(source.error).toMatchObject({ code: '08P01' })
  })

  it.each([
    ['more comes than a session needs', Buffer.alloc(startupBytes + 1, message('1'))],
    ['a message announces more than may come', header('S', 0x7fffffff)],
    ['a message is shorter than its own length', header('S', 3)],
  ])('lets nothing through when %s', (_what, bytes) => {
    const seen: Buffer[] = []
    const { source } = guarded((chunk) => seen.push(chunk))
    source.emit('data', bytes)
    expect(seen).toEqual([])
    expect(source.error).toMatchObject({ code: '08P01' })
  })

  it('says nothing more once a rule was broken', () => {
    const seen: Buffer[] = []
    const { source } = guarded((chunk) => seen.push(chunk))
    source.emit('data', Buffer.concat([message('E', 'M'), message('Z', 'I')]))
    source.emit('data', message('Z', 'I'))
    expect(seen).toEqual([])
    expect(source.error?.message).toBe(
      "what the server sent is not PostgreSQL's protocol: an error or notice has no end",
    )
  })

  it('takes what is thrown for the parser’s until it is lifted, and for the application’s from then on', () => {
    const thrown = new Error('thrown')
    const before = guarded(() => {
      throw thrown
    })
    before.source.emit('data', message('Z', 'I'))
    expect(before.source.error?.cause).toBe(thrown)

    const by = guarded((_, guard) => {
      guard.lift()
      throw thrown
    })
    expect(() => by.source.emit('data', message('Z', 'I'))).toThrow(thrown)
    expect(() => by.source.emit('data', Buffer.from('x'))).toThrow(thrown)
    expect(by.source.error).toBeUndefined()
  })

  it('leaves a connection alone that reads in its own way', () => {
    expect(() => guardBytes({}).lift()).not.toThrow()
  })
})
