/**
 * Whether this message of a server's is a ParameterStatus that tells its role. Without those it is what a server before
 * 14 sends, or a pooler.
 */
export function tellsRole(message: Buffer): boolean {
  const name = message[0] === 'S'.charCodeAt(0) ? message.toString('latin1', 5, message.indexOf(0, 5)) : ''
  return name === 'in_hot_standby' || name === 'default_transaction_read_only'
}
