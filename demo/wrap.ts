import { line, span } from './style'
import type { Line, Tone } from './style'

/** Words longer than that are cut rather than followed by a terminal of a few columns. */
const LEAST_COLUMNS = 20
/** Longer lines are tiring to read. */
const MOST_COLUMNS = 100

/**
 * Breaks a line between words, so that the terminal does not break it within them. What follows the first line begins
 * `hang` columns to the right.
 */
export function wrap(spans: Line, columns: number, hang = 0): Line[] {
  const text = spans.map((each) => each.text).join('')
  const lines: Line[] = []
  for (let from = 0; from < text.length || lines.length === 0;) {
    const indent = lines.length === 0 ? 0 : hang
    const to = lineEnd(text, from, Math.max(LEAST_COLUMNS, columns) - indent)
    lines.push(indent === 0 ? cut(spans, from, to) : [span(' '.repeat(indent)), ...cut(spans, from, to)])
    from = text.charAt(to) === ' ' ? to + 1 : to
  }
  return lines
}

/** Prose: words, broken into lines that are not too long to read. */
export function paragraph(text: string, columns: number, tone: Tone = 'plain'): Line[] {
  return wrap(line(span(text, tone)), Math.min(columns, MOST_COLUMNS))
}

function lineEnd(text: string, from: number, room: number): number {
  if (text.length - from <= room) return text.length
  const space = text.lastIndexOf(' ', from + room)
  return space > from && text.slice(from, space).trim() !== '' ? space : from + room
}

/** A part of a line, with the tones that it had there. */
function cut(spans: Line, from: number, to: number): Line {
  const parts: Line[number][] = []
  let at = 0
  for (const { text, tone } of spans) {
    const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at))
    if (piece !== '') parts.push(span(piece, tone))
    at += text.length
  }
  return parts
}
