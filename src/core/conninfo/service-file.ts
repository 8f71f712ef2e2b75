import { isConnInfoKeyword } from './keywords'
import type { ConnInfoKeyword, ConnInfoParameters } from './keywords'
import { failure, success } from './result'
import type { Result } from './result'

/** libpq reads a line, its end included, into a buffer of 1024 bytes and refuses one that fills it. */
const bufferSize = 1024

/**
 * Finds the group of a service in the text of a service file.
 *
 * The first group of that name counts, and within it the first line of a keyword. Nothing is trimmed around `=`: a space
 * before it makes the keyword unknown, one after it belongs to the value. Lines of other groups are not looked at.
 *
 * @returns `undefined` where the file has no such group.
 */
export function findService(text: string, service: string): Result<ConnInfoParameters | undefined> {
  const found = new Map<ConnInfoKeyword, string>()
  let inGroup = false
  const lines = text.split('\n')
  for (const [index, raw] of lines.entries()) {
    const where = `line ${String(index + 1)}`
    const lineEnd = index < lines.length - 1 ? 1 : 0
    if (byteLength(raw) + lineEnd >= bufferSize - 1) return failure('syntax', `${where} is too long`)
    const line = raw.replace(/^[ \t\v\f\r]+/, '').replace(/[ \t\v\f\r]+$/, '')
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('[')) {
      if (inGroup) break
      inGroup = line.startsWith(`[${service}]`)
      continue
    }
    if (!inGroup) continue
    const equals = line.indexOf('=')
    if (equals === -1) return failure('syntax', `${where} has no "="`)
    const keyword = line.slice(0, equals)
    if (keyword === 'service') return failure('keyword', `${where}: a service cannot refer to another service`)
    if (!isConnInfoKeyword(keyword)) return failure('keyword', `${where}: the keyword is not one of libpq's`)
    if (!found.has(keyword)) found.set(keyword, line.slice(equals + 1))
  }
  if (!inGroup && found.size === 0) return success(undefined)
  return success(Object.freeze(Object.fromEntries(found)))
}

function byteLength(line: string): number {
  let bytes = 0
  for (const character of line) {
    const code = character.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}
