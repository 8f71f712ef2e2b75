/** What a client says, as far as a server that is a fake has to understand it. */
export type FrontendMessage =
  | { readonly type: 'sslRequest' | 'cancelRequest' | 'startup' }
  | { readonly type: 'query'; readonly text: string }
  | { readonly type: 'parse'; readonly name: string; readonly text: string }
  | {
      readonly type: 'bind'
      readonly portal: string
      readonly statement: string
      readonly values: readonly (string | null)[]
    }
  | { readonly type: 'describe' | 'close'; readonly kind: string; readonly name: string }
  | { readonly type: 'execute'; readonly portal: string; readonly limit: number }
  | { readonly type: 'password'; readonly body: Buffer }
  | { readonly type: 'sync' | 'flush' | 'terminate' | 'copyData' | 'copyDone' | 'copyFail' }

const sslRequest = 80877103
const cancelRequest = 80877102

const bare = { S: 'sync', H: 'flush', X: 'terminate', d: 'copyData', c: 'copyDone', f: 'copyFail' } as const

/** Takes messages out of the bytes of one client. */
export class FrontendReader {
  #pending: Buffer = Buffer.alloc(0)
  #started = false

  /** The messages that are whole now. */
  read(chunk: Buffer): readonly FrontendMessage[] {
    this.#pending = Buffer.concat([this.#pending, chunk])
    const found: FrontendMessage[] = []
    for (let next = this.#take(); next !== undefined; next = this.#take()) found.push(next)
    return found
  }

  #take(): FrontendMessage | undefined {
    const offset = this.#started ? 1 : 0
    if (this.#pending.length < offset + 4) return undefined
    const size = offset + this.#pending.readInt32BE(offset)
    if (this.#pending.length < size) return undefined
    const type = String.fromCharCode(this.#pending[0] ?? 0)
    const body = this.#pending.subarray(offset + 4, size)
    this.#pending = this.#pending.subarray(size)
    return this.#started ? messageOf(type, body) : this.#startup(body.readInt32BE(0))
  }

  #startup(code: number): FrontendMessage {
    if (code === sslRequest) return { type: 'sslRequest' }
    if (code === cancelRequest) return { type: 'cancelRequest' }
    this.#started = true
    return { type: 'startup' }
  }
}

function messageOf(type: string, body: Buffer): FrontendMessage {
  const [first = '', second = ''] = body.toString('utf8').split('\0')
  switch (type) {
    case 'Q':
      return { type: 'query', text: first }
    case 'P':
      return { type: 'parse', name: first, text: second }
    case 'B':
      return { type: 'bind', portal: first, statement: second, values: valuesOf(body, first, second) }
    case 'D':
    case 'C':
      return { type: type === 'D' ? 'describe' : 'close', kind: first.slice(0, 1), name: first.slice(1) }
    case 'E':
      return { type: 'execute', portal: first, limit: body.readInt32BE(Buffer.byteLength(first) + 1) }
    case 'p':
      return { type: 'password', body }
    default: {
      const known = bare[type as keyof typeof bare] as (typeof bare)[keyof typeof bare] | undefined
      if (known === undefined) throw new Error(`the fake server does not know message ${JSON.stringify(type)}`)
      return { type: known }
    }
  }
}

/** The parameters of a Bind, as text. */
function valuesOf(body: Buffer, portal: string, statement: string): readonly (string | null)[] {
  let at = Buffer.byteLength(portal) + Buffer.byteLength(statement) + 2
  const number = (size: 2 | 4): number => {
    at += size
    return body.readIntBE(at - size, size)
  }
  const formats = number(2)
  at += 2 * formats
  return Array.from({ length: number(2) }, () => {
    const length = number(4)
    if (length < 0) return null
    at += length
    return body.toString('utf8', at - length, at)
  })
}
