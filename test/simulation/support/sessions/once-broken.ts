import type { History } from './history'

/** Histories in which a promise was broken once, by what was wrong then. */
export const onceBroken: Readonly<Record<string, History>> = {
  'a read that one host would not have stays in its session when it goes to the next': {
    lags: [0, 29, 62],
    isTold: false,
    max: 1,
    waitMillis: 0,
    fallback: 'primary',
    seed: 1660926442,
    sessions: [
      [
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 9 },
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
      ],
      [
        { act: 'write', work: 10, pauseMillis: 0 },
        { act: 'write', work: 6, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 9, pauseMillis: 0 },
        { act: 'read', work: 0, pauseMillis: 0 },
      ],
      [
        { act: 'read', work: 1, pauseMillis: 1 },
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'read', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
        { act: 'write', work: 0, pauseMillis: 0 },
      ],
    ],
    steps: [
      { do: 'wait', millis: 139 },
      { do: 'trouble', what: 'promote', host: undefined },
      { do: 'wait', millis: 16 },
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
