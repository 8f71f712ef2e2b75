import type { History } from './history'

/** Histories in which a promise was broken once, by what was wrong then. */
export const onceBroken: Readonly<Record<string, History>> = {
  'a read that one host would not have stays in its session when it goes to the next': {
    lags: [0, 34],
    isTold: false,
    max: 2,
    waitMillis: 0,
    fallback: 'primary',
    seed: 0,
    sessions: [
      [
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'token', work: 0, pauseMillis: 0 },
        { act: 'two reads', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
      ],
      [
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'write', work: 2, pauseMillis: 0 },
        { act: 'two reads', work: 9, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
      ],
    ],
    steps: [
      { do: 'wait', millis: 92 },
      { do: 'trouble', what: 'promote', host: undefined },
    ],
  },
  'a connection may be to a server that was started again since it was found to lead': {
    lags: [0, 0],
    isTold: false,
    max: 1,
    waitMillis: 20,
    fallback: 'primary',
    seed: -421364590,
    sessions: [
      [
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
      ],
    ],
    steps: [
      { do: 'trouble', what: 'hold', host: undefined },
      { do: 'trouble', what: 'hold', host: 3 },
      { do: 'wait', millis: 58 },
      { do: 'trouble', what: 'switch', host: undefined },
      { do: 'wait', millis: 21 },
      { do: 'trouble', what: 'promote', host: undefined },
      { do: 'trouble', what: 'promote', host: undefined },
    ],
  },
}
