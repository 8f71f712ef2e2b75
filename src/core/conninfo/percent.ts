import { failure, success } from './result'
import type { Result } from './result'

/**
 * Decodes one part of a connection URI by libpq's rules: `%XX` only (`+` is a plus), spaces around the value are dropped,
 * spaces inside it are refused, and so is a zero byte.
 *
 * @param what - names the part in the reason, such as `password`; the part itself is never quoted.
 */
export function decodePercent(part: string, what: string): Result<string> {
  const trimmed = part.replace(/^ +/, '').replace(/ +$/, '')
  if (trimmed.includes(' ')) return failure('encoding', `${what}: a space must be written %20`)
  if (/%(?![0-9a-f]{2})/i.test(trimmed)) {
    return failure('encoding', `${what}: "%" must be followed by two hexadecimal digits (write %25 for "%" itself)`)
  }
  if (trimmed.includes('%00')) return failure('encoding', `${what}: %00 is not allowed`)
  try {
    // Runs are decoded together because one character may take several bytes.
    return success(trimmed.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => decodeURIComponent(run)))
  } catch {
    return failure('encoding', `${what}: the percent-coded bytes are not UTF-8`)
  }
}
