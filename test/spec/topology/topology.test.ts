import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { play } from './support/picture'
import type { Fixture } from './support/picture'

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.json'))

describe.each(files)('%s', (file) => {
  const fixtures = JSON.parse(readFileSync(resolve(import.meta.dirname, file), 'utf8')) as readonly Fixture[]

  it.each(fixtures)('$name', (fixture) => {
    const pictures = play(fixture)
    fixture.phases.forEach(({ events, expect: expected }, index) => {
      expect(pictures[index], `after ${events.join('; ')}`).toEqual(expected)
    })
  })
})
