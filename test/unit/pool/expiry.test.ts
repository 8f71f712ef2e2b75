import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Expiry } from '../../../src/pool/expiry'
import { now } from '../../../src/runtime/clock'

/** As an application does that computes and never yields. */
function block(millis: number): void {
  const until = now() + millis
  while (now() < until);
}

it('a deadline that passes while the process is blocked leaves time to hear the news first', async () => {
  const heard: string[] = []
  const expiry = new Expiry(() => heard.push('expired'))
  expiry.by(now() + 20)
  block(200)
  await sleep(0)
  heard.push('the sockets have been read')
  while (heard.length < 2) await sleep(5)
  expect(heard).toEqual(['the sockets have been read', 'expired'])
})

it('nobody who was forgotten expires, also not after that', async () => {
  const heard: string[] = []
  const expiry = new Expiry(() => heard.push('expired'))
  expiry.by(now() + 20)
  block(200)
  await sleep(0)
  expiry.forget()
  await sleep(400)
  expect(heard).toEqual([])
})
