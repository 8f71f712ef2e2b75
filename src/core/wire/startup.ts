import { misshape } from './shape'

/**
 * How many bytes a server may send until its session is ready. The real ones send one or two thousand; somebody who sends
 * without end, or announces a message of two gigabytes, is none.
 */
export const startupBytes = 2 ** 16

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
  const flaw = misshape(type, body, 0, body.length)
  if (flaw !== undefined) return flaw
  if (type !== code('R')) return state
  if (body.length < 4) return 'an authentication request is too short'
  const kind = new DataView(body.buffer, body.byteOffset).getUint32(0)
  if ((kind === 11 || kind === 12) && !state.sasl) return 'it goes on with a SASL exchange that never began'
  return kind === 10 ? { sasl: true } : state
}
