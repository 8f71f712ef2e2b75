import { PassThrough } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { guardParser } from '../../../src/runtime/parse-guard'

/** A connection of pg's, as far as the guard knows it, whose parser does this with every chunk. */
function connected(parse: (chunk: Buffer) => void): { stream: PassThrough; destroy: unknown } {
  const stream = new PassThrough()
  const destroy = vi.spyOn(stream, 'destroy').mockReturnThis()
  const connection = { attachListeners: (from: PassThrough) => void from.on('data', parse) }
  guardParser(connection)
  connection.attachListeners(stream)
  return { stream, destroy }
}

describe('guardParser', () => {
  it.each([
    ['reading past the end', () => Buffer.alloc(1).readInt32BE(4)],
    ['reading past the end of too little', () => Buffer.alloc(1).readInt32BE(0)],
    ['a count that cannot be', () => Array.from({ length: 0 }).concat(new Array(-1))],
    [
      'an unknown authentication',
      () => {
        throw new Error('Unknown authenticationOk message type 99')
      },
    ],
  ])('cuts the stream at %s', (_what, parse) => {
    const { stream, destroy } = connected(parse)
    stream.emit('data', Buffer.alloc(1))
    expect(destroy).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: '08P01' }))
  })

  it('lets through what a listener of the user’s throws', () => {
    const theirs = new Error('of the application')
    const { stream, destroy } = connected(() => {
      throw theirs
    })
    expect(() => stream.emit('data', Buffer.alloc(1))).toThrow(theirs)
    expect(destroy).not.toHaveBeenCalled()
  })

  it('hands every chunk on', () => {
    const parse = vi.fn()
    const chunk = Buffer.from('x')
    connected(parse).stream.emit('data', chunk)
    expect(parse).toHaveBeenCalledExactlyOnceWith(chunk)
  })

  it('leaves a connection alone that is not pg’s', () => {
    expect(() => guardParser({})).not.toThrow()
  })
})
