import { ConnInfoError } from '../../errors'

/**
 * A port as a number; text may have spaces around its digits, as in libpq.
 *
 * @param where - what the user knows it by.
 * @throws {@link ConnInfoError} for anything that is no TCP port.
 */
export function checkPort(port: unknown, where: string): number {
  const number = typeof port === 'string' && /^\s*\+?\d+\s*$/.test(port) ? Number(port) : port
  if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 65535) return number
  // Text is never quoted: in `user:secret/…@host` libpq takes the password for a port.
  const shown = typeof port === 'number' ? `, not ${String(port)}` : ''
  throw new ConnInfoError(`${where}: must be a whole number from 1 to 65535${shown}`)
}
