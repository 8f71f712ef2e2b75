/**
 * A WAL position as PostgreSQL prints it, `16/B374D848`: two 32-bit halves in hexadecimal. Parsed to the byte position,
 * so that positions compare and subtract as numbers do; `undefined` for anything else.
 */
export function parseLsn(text: string | null | undefined): bigint | undefined {
  const match = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(text ?? '')
  return match ? (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`) : undefined
}

/** The position as PostgreSQL prints it. */
export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase()
}
