import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../soak/main.ts', import.meta.url))

it('a soak of a few seconds is clean, and is run again by what it prints', async () => {
  const flags = ['--minutes', '0.05', '--seed', '4', '--hosts', '3']
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, said).toBe(0)
  expect(said).toContain(`npm run soak -- ${flags.join(' ')}\n`)
  for (const column of ['acknowledged', 'unknown', 'lost', 'duplicated', 'hung', 'failed', 'leaked', 'wrong']) {
    expect(said).toMatch(new RegExp(`^${column} +\\d`, 'm'))
  }
})
