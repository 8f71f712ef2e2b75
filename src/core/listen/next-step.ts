import { quoteIdentifier } from './channel'

/** One channel of a pool, as seen from its session. */
export interface ChannelState {
  readonly name: string
  /** Somebody wants to hear it. */
  readonly wanted: boolean
  /** A server has accepted it before, in this session or an earlier one. */
  readonly known: boolean
  /** This session listens to it. */
  readonly listened: boolean
}

/** The next message of a session to its server. */
export interface Step<Channel extends ChannelState> {
  readonly type: 'listen' | 'unlisten'
  readonly channels: readonly Channel[]
  readonly text: string
}

/**
 * What a session says next, so that it listens to what is wanted and to nothing else; undefined if it does. What was
 * listened to before goes first and all in one message, so that a new session misses as little as can be. A new
 * channel goes alone: a server that refuses its name must not refuse the others with it.
 */
export function nextStep<Channel extends ChannelState>(channels: Iterable<Channel>): Step<Channel> | undefined {
  const all = [...channels]
  const missing = all.filter(({ wanted, listened }) => wanted && !listened)
  const lost = missing.filter(({ known }) => known)
  if (lost.length > 0) return step('listen', lost)
  const unwanted = all.filter(({ wanted, listened }) => listened && !wanted)
  if (unwanted.length > 0) return step('unlisten', unwanted)
  return missing.length > 0 ? step('listen', missing.slice(0, 1)) : undefined
}

function step<Channel extends ChannelState>(type: 'listen' | 'unlisten', channels: readonly Channel[]): Step<Channel> {
  const text = channels.map(({ name }) => `${type.toUpperCase()} ${quoteIdentifier(name)}`).join('; ')
  return { type, channels, text }
}
