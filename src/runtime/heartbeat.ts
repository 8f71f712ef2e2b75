import { now } from './clock'
import { after } from './timer'

const beatMillis = 25

/** So long without a beat, and this process cannot say when what it sees has happened. */
const stallMillis = 100

let watchers = 0
let beating = false
let lastBeat = 0
let lastStall = -Infinity

function beat(): void {
  const at = now()
  if (at - lastBeat > stallMillis) lastStall = at
  lastBeat = at
  beating = watchers > 0
  if (beating) after(beatMillis, beat)
}

/** Knows of a stretch of time whether this process was running all the while. */
export interface Watch {
  /** Whether since its beginning there was a pause of more than 100 ms: a blocked event loop, a frozen process. */
  stalled(): boolean
  end(): void
}

/** Begins to watch. All who watch at the same time share one timer, which does not keep the process alive. */
export function watchForStalls(): Watch {
  const since = now()
  // A timer that was left by others may be late for reasons that do not concern this one.
  if (watchers === 0) lastBeat = since
  watchers += 1
  if (!beating) {
    beating = true
    after(beatMillis, beat)
  }
  return {
    stalled: () => lastStall > since || now() - lastBeat > stallMillis,
    end: () => {
      watchers -= 1
    },
  }
}
