import { expect, it } from 'vitest'
import { readStartup, startupBegins } from '../../../src/core/wire/startup'
import type { StartupState } from '../../../src/core/wire/startup'
import table from './startup.json'

it.each(table)('$name', ({ messages, flaw }) => {
  let state: StartupState | string = startupBegins
  for (const [type, body] of messages as [string, number[]][]) {
    if (typeof state === 'string') break
    state = readStartup(state, { type: type.charCodeAt(0), body: Uint8Array.from(body) })
  }
  expect(typeof state === 'string' ? state : null).toBe(flaw)
})
