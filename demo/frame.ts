import { drawFigures } from './figures'
import { drawHosts } from './host-lines'
import { REQUESTS_PER_SECOND } from './load'
import { drawMarks } from './marks'
import { drawStrip, LABEL_WIDTH, sliceMillis } from './strip'
import { line, span } from './style'
import type { Line } from './style'
import { moment } from './units'
import type { Happening, Stage } from './view'
import { wrap } from './wrap'

const BLANK: Line = []
/** Blank lines are worth less than the latest news. */
const LEAST_NEWS = 3

/** One picture of the live screen, for a terminal of this size. */
export function drawFrame(stage: Stage, columns: number, rows: number): Line[] {
  const tall = rows >= 34
  const blocks = [
    [title(stage, columns)],
    drawHosts(stage, columns),
    wrap(line(span(`▶ ${stage.now}`, 'strong')), columns, 2),
    drawFigures(stage, columns),
    strip(stage, columns, tall ? 2 : 1),
  ]
  const height = blocks.reduce((sum, block) => sum + block.length, 0)
  const airy = height + blocks.length + LEAST_NEWS <= rows
  const space = rows - height - (airy ? blocks.length : 0)
  blocks.push(news(stage.happenings, columns, Math.min(space, tall ? 12 : 6)))
  return blocks
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (airy && index > 0 ? [BLANK, ...block] : block))
    .slice(0, rows)
}

/** What stays when the live screen has gone: the strip, and what happened. */
export function drawStory(stage: Stage, columns: number): Line[] {
  return [...strip(stage, columns, 1), BLANK, ...stage.happenings.flatMap((each) => happening(each, columns))]
}

/** The latest of what happened, as much as there is space for; nothing of it by halves. */
function news(happenings: readonly Happening[], columns: number, space: number): Line[] {
  let lines: Line[] = []
  for (const each of happenings.toReversed()) {
    const more = happening(each, columns)
    if (more.length + lines.length > space) break
    lines = [...more, ...lines]
  }
  return lines
}

function happening({ at, text }: Happening, columns: number): Line[] {
  const when = moment(at)
  return wrap(line(span(when, 'faint'), `  ${text}`), columns, when.length + 2)
}

function title({ elapsedMillis }: Stage, columns: number): Line {
  const left = ' pg-leader'
  const right = `${moment(elapsedMillis)} `
  const middle = [
    ' · a real PostgreSQL cluster loses its leader, twice',
    ' · a cluster loses its leader, twice',
    '',
  ].find((text) => columns > left.length + text.length + right.length)
  const shown = middle ?? ''
  return line(span(left, 'strong'), shown, right.padStart(columns - left.length - shown.length))
}

function strip({ load, happenings, elapsedMillis }: Stage, columns: number, rowsPerDecade: number): Line[] {
  const millis = sliceMillis(elapsedMillis, columns)
  const slices = load.latency.slices(performance.now(), millis)
  const marks = happenings.flatMap(({ at, label }) =>
    label === undefined ? [] : [{ column: Math.floor(at / millis), label }],
  )
  const caption = ` longest wait of ${REQUESTS_PER_SECOND} requests/s, one column ${millis} ms`
  return [
    ...wrap(line(span(caption, 'faint')), columns, 1),
    ...drawStrip(slices, rowsPerDecade),
    ...drawMarks(marks, columns - LABEL_WIDTH).map((row) => line(span(' '.repeat(LABEL_WIDTH) + row, 'strong'))),
  ]
}
