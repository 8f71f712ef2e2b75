import { MarkerProof } from '../execution/marker-proof'
import type { Proof } from '../execution/proof'
import { Pruning } from '../execution/pruning'
import type { TransactionPort } from '../execution/transaction'
import { WitnessProof } from '../execution/witness-proof'
import type { Settings } from './settings'

/** How the transactions of a pool are proved, and what is done beside that until it ends. */
export interface Proving {
  readonly proof: Proof
  end(): void
}

/** By the option `outcome`. `leader`: a client for what nobody waits for; rejects if there is none at once. */
export function createProving(outcome: Settings['outcome'], leader: TransactionPort['leader']): Proving {
  if (outcome === undefined || outcome === 'witness') return { proof: new WitnessProof(), end: () => undefined }
  const pruning = new Pruning(leader, outcome)
  return { proof: new MarkerProof(outcome, () => pruning.written()), end: () => pruning.end() }
}
