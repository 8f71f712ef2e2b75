import { line, span } from './style'
import type { Line, Tone } from './style'
import { count, duration } from './units'
import type { Stage } from './view'

type Cell = readonly [name: string, value: string, tone: Tone]

const LEAST_WIDTH = 13
const MOST_WIDTH = 16

/** The figures of this moment, each below its name; in two rows, or more, where one is too wide. */
export function drawFigures(stage: Stage, columns: number): Line[] {
  const cells = figures(stage)
  const perRow = [6, 3, 2].find((each) => each * LEAST_WIDTH <= columns) ?? 1
  const width = Math.min(MOST_WIDTH, Math.floor(columns / perRow))
  const rows: Cell[][] = []
  for (let from = 0; from < cells.length; from += perRow) rows.push(cells.slice(from, from + perRow))
  return rows.flatMap((row) => [
    line(span(row.map(([name]) => name.padStart(width - 1)).join(' '), 'faint')),
    line(...row.map(([, value, tone]) => span(value.padStart(width - 1).padEnd(width), tone))),
  ])
}

function figures({ load, waiting }: Stage): Cell[] {
  const now = performance.now()
  const { held, callers } = waiting
  return [
    ['answered/s', count(load.latency.lastSecond(now).answered), 'strong'],
    [held ? 'held now' : 'waiting', count(callers), held ? 'calm' : 'plain'],
    ['failed', count(load.failed), load.failed > 0 ? 'bad' : 'good'],
    ['unknown', count(load.unknown.length), load.unknown.length > 0 ? 'slow' : 'good'],
    ['longest wait', duration(load.latency.longestMillis(now)), 'plain'],
    ['answered', count(load.answered), 'plain'],
  ]
}
