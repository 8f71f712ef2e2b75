import { describe, expect, it } from 'vitest'
import { channelFault, quoteIdentifier } from '../../../src/core/listen/channel'
import { nextStep } from '../../../src/core/listen/next-step'
import { isRefusedForGood } from '../../../src/core/listen/refusal'
import channels from './channels.json'
import refusals from './refusals.json'
import steps from './steps.json'

describe('the name of a channel', () => {
  it.each(channels)('$name', ({ given, fault, quoted }) => {
    expect(channelFault(given) ?? null).toBe(fault)
    if (quoted !== undefined) expect(quoteIdentifier(given)).toBe(quoted)
  })
})

it('the name of a channel is no half of a surrogate pair, which no JSON file can hold', () => {
  expect(channelFault('a\ud83d')).toBe('must be well-formed Unicode')
})

describe('what a session says next', () => {
  it.each(steps)('$name', ({ channels: lines, text }) => {
    const states = lines.map((line) => {
      const [name, ...marks] = line.split(' ') as [string]
      const has = (mark: string): boolean => marks.includes(mark as never)
      return { name, wanted: has('wanted'), known: has('known'), listened: has('listened') }
    })
    expect(nextStep(states)?.text ?? null).toBe(text)
  })
})

describe('an error of LISTEN', () => {
  it.each(refusals)('$code, $what: for good $forGood', ({ code, forGood }) => {
    expect(isRefusedForGood(code)).toBe(forGood)
  })
})
