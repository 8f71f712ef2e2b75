import type { HostKey } from '../../../../src/core/topology/host'
import type { Wire } from './wire'

/** What the stand-ins play on: one simulation at a time. */
export interface Stage {
  readonly wire: Wire
  /** A statement leaves this process. */
  onSend(id: number, host: HostKey): void
}

let present: Stage | undefined

export function enter(stage: Stage | undefined): void {
  present = stage
}

export function onStage(): Stage {
  if (present === undefined) throw new Error('there is no simulation under way')
  return present
}
