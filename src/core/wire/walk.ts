import { hasTexts, headerBytes, misshape } from './shape'

/** Between two chunks: what is left of the message that the last one ended in. */
interface Unfinished {
  /** So much of it is still to come, and need not be looked at. */
  left: number
  /** The beginning of one that has to be looked at, or whose header is not all there. */
  begun: Uint8Array[]
  begunBytes: number
}

/** Where a chunk stops being PostgreSQL's protocol, and why. Everything before `at` is whole messages. */
export interface Flaw {
  readonly at: number
  readonly reason: string
}

/**
 * Walks from message to message through what a server sends, chunk by chunk, and looks only at those in which a parser would
 * look for the end of a text. Asked of everything that comes in: rows and data are stepped over.
 */
export class MessageWalk {
  readonly #unfinished: Unfinished = { left: 0, begun: [], begunBytes: 0 }

  /** The next chunk. Once it has told a flaw it is not to be asked again. */
  next(chunk: Uint8Array): Flaw | undefined {
    const unfinished = this.#unfinished
    let at = unfinished.left
    if (unfinished.begunBytes > 0) {
      const end = this.#finish(chunk)
      if (typeof end === 'string') return { at: 0, reason: end }
      at = end
    }
    while (at + headerBytes <= chunk.length) {
      const type = chunk[at] as number
      const length = lengthAt(chunk, at)
      if (length < headerBytes - 1) return { at, reason: 'a message is shorter than its own length' }
      const end = at + 1 + length
      if (hasTexts(type)) {
        if (end > chunk.length) break
        const reason = misshape(type, chunk, at + headerBytes, end)
        if (reason !== undefined) return { at, reason }
      }
      at = end
    }
    unfinished.left = Math.max(0, at - chunk.length)
    if (at < chunk.length) {
      unfinished.begun = [chunk.subarray(at)]
      unfinished.begunBytes = chunk.length - at
    }
    return undefined
  }

  /** Goes on with a message that began in an earlier chunk: where it ends in this one, or what is wrong with it. */
  #finish(chunk: Uint8Array): number | string {
    const unfinished = this.#unfinished
    const { begunBytes } = unfinished
    unfinished.begun.push(chunk)
    unfinished.begunBytes += chunk.length
    const header = join(unfinished.begun, headerBytes)
    if (header.length < headerBytes) return chunk.length
    const length = lengthAt(header, 0)
    if (length < headerBytes - 1) return 'a message is shorter than its own length'
    const end = length + 1 - begunBytes
    const type = header[0] as number
    if (hasTexts(type)) {
      if (end > chunk.length) return chunk.length
      const whole = join(unfinished.begun, length + 1)
      const reason = misshape(type, whole, headerBytes, length + 1)
      if (reason !== undefined) return reason
    }
    unfinished.begun = []
    unfinished.begunBytes = 0
    return end
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  const high = (bytes[at + 1] as number) * 2 ** 24
  return high + (((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number))
}

/** The first bytes of several pieces, as many as there are and no more than `most`. */
function join(pieces: readonly Uint8Array[], most: number): Uint8Array {
  const joined = new Uint8Array(most)
  let size = 0
  for (const piece of pieces) {
    if (size === most) break
    const part = piece.subarray(0, most - size)
    joined.set(part, size)
    size += part.length
  }
  return joined.subarray(0, size)
}
