import type { Duplex } from 'node:stream'

/** The part of pg's Connection that starts to read messages; its type declarations leave it out. */
interface Connection {
  attachListeners?: (stream: Duplex) => void
}

const protocolViolation = '08P01'

/** What reading past the end of a message throws. */
const unreadableCodes: ReadonlySet<unknown> = new Set(['ERR_OUT_OF_RANGE', 'ERR_BUFFER_OUT_OF_BOUNDS'])

/**
 * pg's parser throws at a message that it cannot read, out of the socket's `data` event, and that ends the process. On
 * this connection it is an error of the socket instead: it is cut, and whoever waits on it hears why. What a listener of
 * the user's throws there ends the process as ever. To be called before `connect`.
 */
export function guardParser(given: object): void {
  const connection = given as Connection
  const attach = connection.attachListeners
  if (attach === undefined) return
  // Called once, by pg, with the stream that messages are read from: under TLS not the one of before.
  connection.attachListeners = (stream) => {
    Reflect.apply(attach, connection, [stream])
    const parse = stream.listeners('data').at(-1) as ((chunk: Buffer) => void) | undefined
    if (parse === undefined) return
    stream.removeListener('data', parse)
    stream.on('data', (chunk: Buffer) => {
      try {
        parse(chunk)
      } catch (error) {
        if (!isUnreadable(error)) throw error
        const message = `the server sent a message that cannot be read: ${error.message}`
        stream.destroy(Object.assign(new Error(message, { cause: error }), { code: protocolViolation }))
      }
    })
  }
}

function isUnreadable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if (error instanceof RangeError) {
    return unreadableCodes.has((error as { code?: unknown }).code) || error.message === 'Invalid array length'
  }
  return error.message.startsWith('Unknown authenticationOk message type')
}
