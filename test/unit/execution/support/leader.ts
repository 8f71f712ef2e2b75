import { noEvidence } from '../../../../src/core/outcome/evidence'
import type { LookUpPort } from '../../../../src/execution/look-up'
import type { PoolClient } from '../../../../src/pool/session'

/** A port whose leader answers every question by this function. */
export function leaderThat(query: (given: never) => Promise<unknown>, more: Partial<LookUpPort> = {}): LookUpPort {
  return {
    leader: async () => ({ client: { query } as unknown as PoolClient, host: 'b', release: () => undefined }),
    evidence: noEvidence,
    historySince: 0,
    timeline: undefined,
    ending: false,
    lookUpMillis: 1000,
    ...more,
  }
}
