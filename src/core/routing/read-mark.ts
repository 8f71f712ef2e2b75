import { endOfToken, skipBlank } from '../sql/lexer'
import { isAmbiguous } from '../sql/tokens'

const mark = /^[ \t\n\r\f\v]*pg-leader:[ \t\n\r\f\v]*read-only[ \t\n\r\f\v]*$/

/**
 * Whether a text is marked as a read by a comment: a block comment of its own, anywhere in it, that says `pg-leader: read-only`
 * and nothing else. What is a comment by one of two readings of a literal only is no mark.
 */
export function hasReadMark(text: string): boolean {
  if (!text.includes('pg-leader:')) return false
  return findMark(text, false) && (!isAmbiguous(text) || findMark(text, true))
}

function findMark(text: string, escapes: boolean): boolean {
  for (let position = 0; position < text.length;) {
    const next = skipBlank(text, position)
    if (next === undefined) return false
    if (next > position) {
      if (text.startsWith('/*', position) && mark.test(text.slice(position + 2, next - 2))) return true
      position = next
      continue
    }
    const end = endOfToken(text, position, escapes)
    if (end === undefined) return false
    position = end
  }
  return false
}
