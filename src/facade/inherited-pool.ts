import type { CheckoutCallback } from '../pool/ticket'

/** pg-pool's own methods of one pool, whatever was put over them. */
export interface InheritedPool {
  readonly connect: (callback: CheckoutCallback | undefined) => unknown
  query(text: unknown, values: unknown, callback: unknown): unknown
  end(callback: ((...args: unknown[]) => void) | undefined): unknown
  /** Emits one of our own events. */
  emit(event: 'failover' | 'splitBrain' | 'topology', detail: unknown): boolean
}
