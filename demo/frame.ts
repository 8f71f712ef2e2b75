import type { HostSnapshot } from '../src/index'
import { REQUESTS_PER_SECOND } from './load'
import { drawMarks, drawStrip, SLICE_MILLIS } from './strip'
import { line, span } from './style'
import type { Line, Tone } from './style'
import { bytes, count, duration, moment } from './units'
import type { Stage } from './view'

const BLANK: Line = []

/** One picture of the live screen, for a terminal of this size. */
export function drawFrame(stage: Stage, columns: number, rows: number): Line[] {
  const tall = rows >= 34
  const fixed = [
    title(stage, columns),
    BLANK,
    ...hosts(stage),
    BLANK,
    line(span('▶ ', 'strong'), span(stage.now, 'strong')),
    BLANK,
    ...figures(stage),
    BLANK,
    ...strip(stage, columns, tall ? 2 : 1),
  ]
  const space = rows - fixed.length - 1
  const news = stage.happenings.slice(-Math.max(0, Math.min(space, tall ? 12 : 6)))
  const lines = news.length === 0 ? fixed : [...fixed, BLANK, ...news.map(({ at, text }) => happening(at, text))]
  return lines.length <= rows ? lines : lines.filter((each) => each !== BLANK).slice(0, rows)
}

/** What stays when the live screen has gone: the strip, and what happened. */
export function drawStory(stage: Stage, columns: number): Line[] {
  return [...strip(stage, columns, 1), BLANK, ...stage.happenings.map(({ at, text }) => happening(at, text))]
}

function happening(at: number, text: string): Line {
  return line(span(moment(at), 'faint'), `  ${text}`)
}

function title({ elapsedMillis }: Stage, columns: number): Line {
  const left = ' pg-leader'
  const middle = ' · a real PostgreSQL cluster loses its leader, twice'
  const right = `${moment(elapsedMillis)} `
  const shown = columns > left.length + middle.length + right.length ? middle : ''
  return line(span(left, 'strong'), shown, right.padStart(columns - left.length - shown.length))
}

function hosts({ cluster, pool }: Stage): Line[] {
  const head = span(`   ${'host'.padEnd(24)}${'role'.padEnd(12)}${'timeline'.padEnd(10)}lag`, 'faint')
  const known = pool.topology.hosts
  return [
    line(head),
    ...cluster.hosts.map((host) => {
      const key = `${host.host}:${host.port}`
      return hostLine(
        host.name,
        key,
        known.find((each) => each.host === key),
      )
    }),
  ]
}

function hostLine(name: string, key: string, known: HostSnapshot | undefined): Line {
  const role = known?.role ?? 'unknown'
  const { sign, tone, words } = looks(role)
  const answers = role !== 'unknown'
  const timeline = answers ? String(known?.timeline ?? '') : ''
  const lag = role === 'standby' && known?.lagBytes !== undefined ? bytes(known.lagBytes) : ''
  return line(
    span(` ${sign} `, tone),
    name.padEnd(7),
    span(key.padEnd(17), 'faint'),
    span(words.padEnd(12), tone),
    timeline.padEnd(10),
    lag,
  )
}

function looks(role: HostSnapshot['role']): { sign: string; tone: Tone; words: string } {
  switch (role) {
    case 'leader':
      return { sign: '●', tone: 'good', words: 'leader' }
    case 'standby':
      return { sign: '○', tone: 'calm', words: 'standby' }
    case 'unknown':
      return { sign: '✕', tone: 'bad', words: 'no answer' }
    case 'stale':
    case 'foreign':
    case 'read-only':
    case 'primary':
      return { sign: '!', tone: 'slow', words: role }
    default:
      return role satisfies never
  }
}

function figures({ load, pool }: Stage): Line[] {
  const held = pool.waitingCount
  const cells: [name: string, value: string, tone: Tone][] = [
    ['answered/s', count(load.latency.lastSecond(performance.now())), 'strong'],
    ['held now', count(held), held > 0 ? 'calm' : 'plain'],
    ['failed', count(load.failed), load.failed > 0 ? 'bad' : 'good'],
    ['unknown', count(load.unknown.length), load.unknown.length > 0 ? 'slow' : 'good'],
    ['longest wait', duration(load.latency.longestMillis), 'plain'],
    ['answered', count(load.answered), 'plain'],
  ]
  const width = 13
  return [
    line(span(cells.map(([name]) => name.padStart(width - 1)).join(' '), 'faint')),
    line(...cells.map(([, value, tone]) => span(value.padStart(width - 1).padEnd(width), tone))),
  ]
}

function strip({ load, happenings }: Stage, columns: number, rowsPerDecade: number): Line[] {
  const slices = load.latency.slices(performance.now())
  const marks = happenings.flatMap(({ at, label }) => (label === undefined ? [] : [{ at, label }]))
  const caption = ` longest wait of the ${REQUESTS_PER_SECOND} requests/s issued, one column ${SLICE_MILLIS} ms`
  return [
    line(span(caption, 'faint')),
    ...drawStrip(slices, columns, rowsPerDecade),
    line(span(drawMarks(marks, slices.length, columns), 'strong')),
  ]
}
