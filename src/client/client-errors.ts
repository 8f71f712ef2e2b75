import type { Client } from 'pg'

/**
 * Catches the `error` events pg emits on a client itself, past its connection: a password file it cannot read, an MD5
 * answer it cannot compute. While a client connects they are the failure of that attempt; pg would leave the caller of
 * `connect` waiting, and end the process if nobody listens. Returns the way back.
 *
 * Only a client that has no password yet can come there, so all others keep the `emit` of their class.
 */
export function catchClientErrors(client: Client, failed: (error: Error) => void): () => void {
  if (typeof client.password === 'string') return () => {}
  const own = Object.getOwnPropertyDescriptor(client, 'emit')
  const emit = client.emit
  const caught = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'error') return emit.call(client, event, ...args)
    failed(args[0] as Error)
    return true
  }
  Object.defineProperty(client, 'emit', { value: caught, enumerable: false, configurable: true, writable: true })
  return () => {
    if (client.emit !== caught) return
    if (own === undefined) Reflect.deleteProperty(client, 'emit')
    else Object.defineProperty(client, 'emit', own)
  }
}
