import type { ConnInfoKeyword } from '../../core/conninfo/keywords'
import { ConnInfoError } from '../../errors'

/**
 * A keyword's whole number; libpq allows a sign, and spaces around it.
 *
 * @throws {@link ConnInfoError} for anything else.
 */
export function integerOf(keyword: ConnInfoKeyword, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const number = /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : Number.NaN
  if (Math.abs(number) < 2 ** 31) return number
  throw new ConnInfoError(`${keyword}: must be a whole number`)
}
