import { createRequire } from 'node:module'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const { cache } = createRequire(import.meta.url)
const files = ['/app/node_modules/pg/lib/index.js', '/app/node_modules/orm/node_modules/pg/lib/index.js']
const emitWarning = vi.spyOn(process, 'emitWarning').mockReturnValue()

async function fresh(): Promise<() => void> {
  vi.resetModules()
  return (await import('../../../src/facade/second-copy')).warnOfSecondCopy
}

beforeEach(() => emitWarning.mockClear())
afterEach(() => {
  for (const file of files) Reflect.deleteProperty(cache, file)
})

it('says once where the copies are', async () => {
  for (const file of files) cache[file] = module()
  const warn = await fresh()
  warn()
  warn()
  expect(emitWarning).toHaveBeenCalledTimes(1)
  const [[message, options] = []] = emitWarning.mock.calls as [string, object][]
  for (const file of files) expect(message).toContain(file)
  expect(options).toMatchObject({ code: 'PG_LEADER_SECOND_PG' })
})

it('is silent while there is one, and about what only looks like pg', async () => {
  const others = [
    '/app/node_modules/pg-8.16/lib/index.js',
    '/app/node_modules/pg/lib/client.js',
    '/app/pg/lib/index.js',
  ]
  for (const file of [files[0] as string, ...others]) cache[file] = module()
  const warn = await fresh()
  warn()
  for (const file of others) Reflect.deleteProperty(cache, file)
  expect(emitWarning).not.toHaveBeenCalled()
})

/** As good as loaded. */
function module(): NodeJS.Module {
  return {} as NodeJS.Module
}
