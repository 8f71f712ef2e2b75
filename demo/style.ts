import { NO_BREAK } from './units'

/** What a piece of text is, not how it looks: the terminal decides that. */
export type Tone = 'plain' | 'strong' | 'faint' | 'good' | 'calm' | 'slow' | 'bad'

/** A piece of a line. */
export interface Span {
  readonly text: string
  readonly tone: Tone
}

export type Line = readonly Span[]

const CODES: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  faint: '2',
  good: '32',
  calm: '36',
  slow: '33',
  bad: '31',
}

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone }
}

export function line(...parts: (string | Span)[]): Line {
  return parts.map((part) => (typeof part === 'string' ? span(part) : part))
}

/** Text for a terminal, cut at `columns`; every character of the demo is one column wide. */
export function render(spans: Line, { colour, columns = Infinity }: { colour: boolean; columns?: number }): string {
  let left = columns
  let out = ''
  for (const { text, tone } of spans) {
    const piece = text.slice(0, left).replaceAll(NO_BREAK, ' ')
    left -= piece.length
    const code = CODES[tone]
    out += colour && code !== '' && piece !== '' ? `\x1b[${code}m${piece}\x1b[0m` : piece
  }
  return out
}

/** The convention of no-color.org, and terminals that can do nothing. */
export function wantsColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
}
