import { drawFrame, drawStory } from './frame'
import { render, wantsColour } from './style'
import type { Line } from './style'
import type { Show, Stage } from './view'

const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

const FRAME_MILLIS = 100

/** The live screen: the terminal's second buffer, so that what was there before comes back at the end. */
export class Screen implements Show {
  readonly #out: NodeJS.WriteStream
  readonly #colour: boolean
  #timer: NodeJS.Timeout | undefined
  #stage: Stage | undefined

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#colour = wantsColour(out)
  }

  begin(stage: Stage): void {
    this.#stage = stage
    this.#out.write(ENTER)
    // Whatever ends this process, the terminal gets its cursor back.
    process.once('exit', this.#leave)
    // The trace of an error that nobody caught is to be read on the first buffer.
    process.once('uncaughtExceptionMonitor', this.#leave)
    this.#out.on('resize', this.#draw)
    this.#timer = setInterval(this.#draw, FRAME_MILLIS)
    this.#draw()
  }

  keepsake(stage: Stage, columns: number): readonly Line[] {
    return drawStory(stage, columns)
  }

  end(): void {
    this.#leave()
    process.removeListener('exit', this.#leave)
    process.removeListener('uncaughtExceptionMonitor', this.#leave)
    this.#out.removeListener('resize', this.#draw)
  }

  readonly #leave = (): void => {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#out.write(LEAVE)
  }

  readonly #draw = (): void => {
    if (this.#timer === undefined || this.#stage === undefined) return
    const columns = this.#out.columns || 80
    const rows = this.#out.rows || 24
    const lines = drawFrame(this.#stage, columns, rows)
    const text = lines.map((each) => render(each, { colour: this.#colour, columns }) + clearAfter(each, columns))
    this.#out.write(HOME + text.join('\r\n') + (lines.length < rows ? `\r\n${CLEAR_BELOW}` : ''))
  }
}

/** After a full line the cursor stays on its last character, which clearing would take away. */
function clearAfter(spans: Line, columns: number): string {
  return spans.reduce((sum, { text }) => sum + text.length, 0) < columns ? CLEAR_LINE : ''
}
