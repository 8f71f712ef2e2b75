import type { Position } from '../core/selection/position'
import type { SessionReads } from '../execution/session-scope'
import { onRelease } from '../pool/on-release'
import { sessionOf } from '../pool/session'
import type { CheckoutCallback } from '../pool/ticket'
import { now } from '../runtime/clock'

/** Whatever is done with a client on the leader, the reads of this session have to see. */
export function holding(session: SessionReads, callback: CheckoutCallback): CheckoutCallback {
  return (error, client, done) => {
    if (client === undefined) return callback(error, client, done)
    const released = session.holds()
    const of = sessionOf(client)
    const commit: { at: Position | undefined } = { at: undefined }
    if (of !== undefined) of.commit = commit
    onRelease(client, () => {
      if (of?.commit === commit) of.commit = undefined
      released(now(), commit.at)
    })
    callback(undefined, client, client.release)
  }
}
