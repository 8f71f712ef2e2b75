import { ParameterSink } from './parameter-sink'
import type { Keeps, ParsedParameters } from './parameter-sink'
import { failure, success } from './result'
import type { Result } from './result'

/** The characters of C's isspace(). */
const space = /[ \t\n\v\f\r]/

/**
 * Reads `keyword = value` pairs. Spaces may stand around the `=`; a value in single quotes may contain spaces; a backslash
 * takes the next character as it is, inside quotes and outside.
 */
export function parseKeywordValue(text: string, keeps: Keeps): Result<ParsedParameters> {
  const sink = new ParameterSink(keeps)
  let at = skipSpace(text, 0)
  while (at < text.length) {
    const start = at
    while (at < text.length && text[at] !== '=' && !space.test(text.charAt(at))) at += 1
    const name = text.slice(start, at)
    at = skipSpace(text, at)
    const where = `at position ${String(start + 1)}`
    if (text[at] !== '=') return failure('syntax', `"=" is missing after the keyword ${where}`)
    at = skipSpace(text, at + 1)
    const value = readValue(text, at)
    if (!value.ok) return value
    const stored = sink.store(name, value.value.value, where)
    if (!stored.ok) return stored
    at = skipSpace(text, value.value.end)
  }
  return success(sink.take())
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && space.test(text.charAt(at))) at += 1
  return at
}

function readValue(text: string, from: number): Result<{ value: string; end: number }> {
  const quoted = text[from] === "'"
  let value = ''
  let at = quoted ? from + 1 : from
  for (;;) {
    const character = text.charAt(at)
    if (character === '') {
      if (!quoted) return success({ value, end: at })
      return failure('syntax', `the quoted value that begins at position ${String(from + 1)} has no closing quote`)
    }
    if (quoted ? character === "'" : space.test(character)) return success({ value, end: at + 1 })
    // A backslash at the very end stands for nothing.
    if (character === '\\') at += 1
    value += text.charAt(at)
    at += 1
  }
}
