import { headerBytes } from '../core/wire/shape'
import { readStartup, startupBegins, startupBytes } from '../core/wire/startup'
import type { StartupState } from '../core/wire/startup'
import { MessageWalk } from '../core/wire/walk'

type DataListener = (chunk: Buffer) => void

/** What pg's parser asks of a stream. */
interface Source {
  on(event: string, listener: (...args: never[]) => void): unknown
  destroy(error?: Error): unknown
}

/** pg's Connection, as far as bytes come into it. A ready-made one of the user's need not have the method. */
interface Guarded {
  attachListeners?(stream: Source): void
}

export interface Guard {
  /** Begins to count anew. */
  restart(): void
  /** The session is ready: what the server sends is passed on as it comes, unless a parser would read on in it for ever. */
  lift(): void
}

/**
 * Stands between a socket and pg's parser, which believes what it is told: it collects a message of any length, looks
 * for the end of an error for ever, and throws out of the socket's `data` event, which ends the process. Until the guard is lifted,
 * messages are passed on one by one, whole, looked at, and no more of them than {@link startupBytes}. A server that
 * breaks the rules loses the connection, with an error that says so (08P01).
 */
export function guardBytes(connection: Guarded): Guard {
  const { attachListeners } = connection
  const rules: Rules = { lifted: false, left: startupBytes, state: startupBegins }
  if (attachListeners !== undefined) {
    connection.attachListeners = (stream) => {
      const on = (event: string, listener: (...args: never[]) => void): unknown =>
        stream.on(event, event === 'data' ? guarded(listener as DataListener, stream, rules) : listener)
      // All else is the stream's own.
      attachListeners.call(connection, Object.create(stream, { on: { value: on } }) as Source)
    }
  }
  return {
    restart() {
      rules.left = startupBytes
    },
    lift() {
      rules.lifted = true
    },
  }
}

interface Rules {
  lifted: boolean
  left: number
  state: StartupState
}

function guarded(listener: DataListener, stream: Source, rules: Rules): DataListener {
  const walk = new MessageWalk()
  let pending: Buffer = Buffer.alloc(0)
  let broken = false

  function refuse(reason: string, cause?: unknown): void {
    broken = true
    const message = `what the server sent is not PostgreSQL's protocol: ${reason}`
    stream.destroy(Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code: '08P01' }))
  }

  function pass(bytes: Buffer): void {
    const trusted = rules.lifted
    try {
      listener(bytes)
    } catch (error) {
      // Of a session that is ready, or became so by these bytes, it may be the user's callback that throws.
      if (trusted ? !isOfParser(error) : rules.lifted) throw error
      refuse(error instanceof Error ? error.message : String(error), error)
    }
  }

  /** Of a session that is ready. */
  function follow(chunk: Buffer): void {
    const flaw = walk.next(chunk)
    if (flaw === undefined) return pass(chunk)
    if (flaw.at > 0) pass(chunk.subarray(0, flaw.at))
    refuse(flaw.reason)
  }

  /** Passes the first message on, if it is all there; says whether to go on. */
  function passMessage(): boolean {
    if (pending.length < headerBytes) return false
    const type = pending[0] as number
    const length = pending.readUInt32BE(1)
    if (length < headerBytes - 1) refuse('a message is shorter than its own length')
    else if (length > pending.length + rules.left) refuse(`a message announces ${length} bytes`)
    else if (length < pending.length) {
      const next = readStartup(rules.state, { type, body: pending.subarray(headerBytes, length + 1) })
      const message = pending.subarray(0, length + 1)
      pending = pending.subarray(length + 1)
      if (typeof next === 'string') refuse(next)
      else {
        rules.state = next
        pass(message)
      }
      return !broken
    }
    return false
  }

  return (chunk) => {
    if (broken) return
    if (rules.lifted) return follow(chunk)
    rules.left -= chunk.length
    if (rules.left < 0) return refuse(`more than ${startupBytes} bytes came before a session was ready`)
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (!rules.lifted && passMessage());
    if (!rules.lifted || broken || pending.length === 0) return
    const rest = pending
    pending = Buffer.alloc(0)
    follow(rest)
  }
}

/** Whether pg's own code threw it, and not a callback that it called. */
function isOfParser(error: unknown): boolean {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const first = stack.split('\n').find((line) => /^\s+at /.test(line) && !line.includes('node:'))
  return first !== undefined && /[\\/]pg(?:-protocol[\\/]dist|(?:-?\d[\d.]*)?[\\/]lib)[\\/]/.test(first)
}
