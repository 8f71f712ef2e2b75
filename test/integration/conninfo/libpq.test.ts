import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { connInfoKeywords } from '../../../src/core/conninfo/keywords'
import { parseConnInfo } from '../../../src/core/conninfo/parse-conn-info'
import { hexOf, openLibpq } from './libpq-oracle'
import type { LibpqOracle, ParseAnswer } from './libpq-oracle'
import { connectionStrings } from './strings'

const seed = 20_261_122
const generated = 6_000

/** Where ours differs from libpq on purpose: the names of the rows in docs/conninfo.md, and when a row applies. */
const differences = {
  'zero-character': (text: string) => text.includes('\0'),
  'lone-surrogate': (text: string) => /\p{Surrogate}/u.test(text),
  // The bytes may be gone from libpq's answer again, if a later parameter of the same name replaced them.
  'not-utf-8': (text: string) => {
    const ours = parseConnInfo(text)
    return (
      !ours.ok &&
      ours.problem.message.includes('not UTF-8') &&
      (text.match(/(?:%[0-9a-f]{2})+/gi) ?? []).some(isNotUtf8)
    )
  },
  pairing: (text: string) => {
    const ours = parseConnInfo(text)
    return !ours.ok && ours.problem.kind === 'pairing'
  },
} as const satisfies Record<string, (text: string) => boolean>

function isNotUtf8(run: string): boolean {
  const bytes = Buffer.from(run.replaceAll('%', ''), 'hex')
  return !Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)
}

function handPicked(): readonly string[] {
  const directory = new URL('../../spec/conninfo/', import.meta.url)
  return ['uri.json', 'keyword-value.json', 'pairing.json'].flatMap((file) => {
    const cases = JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as readonly { text: string }[]
    return cases.map(({ text }) => text)
  })
}

describe('the real libpq', () => {
  let libpq: LibpqOracle

  beforeAll(() => {
    libpq = openLibpq()
  })
  afterAll(() => libpq.close())

  it('agrees on every string, keyword by keyword, but for the differences that are documented', async () => {
    console.info(`differential test: seed ${String(seed)}, ${String(generated)} generated strings`)
    const texts = [...new Set([...handPicked(), ...fc.sample(connectionStrings, { seed, numRuns: generated })])]
    // A C string ends at its first zero, and half a character has no bytes: libpq cannot be asked.
    const askable = texts.filter((text) => !differences['zero-character'](text) && !differences['lone-surrogate'](text))
    const answers = await libpq.parse(askable)
    const disagreements: object[] = []
    const tally = { accepted: 0, refused: 0, pairing: 0, 'not-utf-8': 0 }
    const pairing: string[] = []
    for (const [index, text] of askable.entries()) {
      const theirs = answers[index] as ParseAnswer
      const ours = parseConnInfo(text)
      if (theirs.ok && differences.pairing(text)) {
        tally.pairing += 1
        pairing.push(text)
      } else if (theirs.ok && differences['not-utf-8'](text)) tally['not-utf-8'] += 1
      else if (ours.ok && theirs.ok) {
        tally.accepted += 1
        const values = Object.fromEntries(
          Object.entries(ours.value.parameters).map(([keyword, value]) => [keyword, hexOf(value)]),
        )
        if (!sameRecord(values, theirs.values ?? {})) disagreements.push({ text, theirs, ours })
      } else if (ours.ok === theirs.ok) tally.refused += 1
      else disagreements.push({ text, theirs, ours })
    }
    expect(disagreements).toEqual([])
    // Every kind of answer must have been seen, or the generator has gone blind.
    expect(askable.length).toBeGreaterThan(2_000)
    expect(tally.accepted).toBeGreaterThan(800)
    expect(tally.refused).toBeGreaterThan(800)
    expect(tally.pairing).toBeGreaterThan(15)
    expect(tally['not-utf-8']).toBeGreaterThan(10)

    // What we call a pairing mistake libpq calls one as soon as it is to connect; a service it looks up even before.
    const connectable = pairing.filter((text) => !text.includes('service'))
    const started = await libpq.start(connectable.map((text) => ({ text })))
    const unlike = connectable.filter((_, index) => !started[index]?.message.startsWith('could not match '))
    expect(unlike).toEqual([])
  })

  it('pairs host, hostaddr and port as PQconnectStart does', async () => {
    // Sockets that are not there and a port nobody listens on: whatever pairs fails at once without the network.
    const list = (element: string) =>
      fc.array(fc.constantFrom(element, element, element, ''), { maxLength: 4 }).map((parts) => parts.join(','))
    const lists = fc.tuple(list('/nowhere'), list('127.0.0.1'), list('1'))
    const texts = fc
      .sample(lists, { seed, numRuns: 600 })
      .map(([hosts, addresses, ports]) => `host='${hosts}' hostaddr='${addresses}' port='${ports}'`)
    const answers = await libpq.start(texts.map((text) => ({ text })))
    const wrong = texts.filter((text, index) => {
      const message = answers[index]?.message.trim() ?? ''
      const ours = parseConnInfo(text)
      return ours.ok
        ? message.startsWith('could not match ')
        : !message.startsWith('could not match ') || !ours.problem.message.includes(message)
    })
    expect(wrong).toEqual([])
    expect(texts.filter((text) => parseConnInfo(text).ok).length).toBeGreaterThan(100)
    expect(texts.filter((text) => !parseConnInfo(text).ok).length).toBeGreaterThan(100)
  })

  it('knows the same keywords', async () => {
    const [answer] = await libpq.parse([connInfoKeywords.map((keyword) => `${keyword}=1`).join(' ')])
    expect(Object.keys(answer?.values ?? {}).sort()).toEqual([...connInfoKeywords].sort())
  })
})

it('documents each difference', () => {
  const table = readFileSync(new URL('../../../docs/conninfo.md', import.meta.url), 'utf8')
  for (const name of Object.keys(differences)) expect(table).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'))
})

function sameRecord(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}
