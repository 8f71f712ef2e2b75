/**
 * How many bytes a server may send until its session is ready. The real ones send one or two thousand; somebody who sends
 * without end, or announces a message of two gigabytes, is none.
 */
export const startupBytes = 2 ** 16

/** Type and length: what every message begins with. */
export const headerBytes = 5

const code = (letter: string): number => letter.charCodeAt(0)

/** What has been seen of a session so far. */
export interface StartupState {
  /** The server has offered SASL, so it may go on with it. */
  readonly sasl: boolean
}

/** Before the first message. */
export const startupBegins: StartupState = Object.freeze({ sasl: false })

/** The whole of one message, from the first byte after its header. */
export interface StartupMessage {
  readonly type: number
  readonly body: Uint8Array
}

/**
 * Looks at a message before a parser does that trusts its server: the state that follows, or why no PostgreSQL server
 * would send this.
 */
export function readStartup(state: StartupState, { type, body }: StartupMessage): StartupState | string {
  if (type === code('E') || type === code('N')) return hasFields(body) ? state : 'an error or notice has no end'
  if (type !== code('R')) return state
  if (body.length < 4) return 'an authentication request is too short'
  const kind = new DataView(body.buffer, body.byteOffset).getUint32(0)
  if ((kind === 11 || kind === 12) && !state.sasl) return 'it goes on with a SASL exchange that never began'
  return kind === 10 ? { sasl: true } : state
}

/** A field is a letter and a text that ends with a zero; a zero in place of the letter ends the list. */
function hasFields(body: Uint8Array): boolean {
  let at = 0
  while (at < body.length) {
    if (body[at] === 0) return true
    const end = body.indexOf(0, at + 1)
    if (end === -1) return false
    at = end + 1
  }
  return false
}
