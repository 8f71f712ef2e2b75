import type { Client } from 'pg'

/**
 * Has a session refuse to write, also on a primary: a guard against accidents, that goes along in the startup packet. It stands
 * behind whatever was given, so that it is what counts.
 */
const guard = '-c default_transaction_read_only=on'

/** Server options, the guard among them. */
export function guardedOptions(given: string | undefined): string {
  return given === undefined || given === '' ? guard : `${given} ${guard}`
}

/** The same for a client that pg has made already, of options, connection string and environment: no other place has them all. */
export function guardClient(client: Client): void {
  const { connectionParameters } = client as unknown as { readonly connectionParameters: { options?: string } }
  connectionParameters.options = guardedOptions(connectionParameters.options)
}
