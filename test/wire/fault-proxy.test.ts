import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FaultProxy } from '../support/fault-proxy'
import { listen } from '../support/listen'
import { poll } from '../support/poll'
import { message } from '../support/backend'

let echo: Server
let proxy: FaultProxy
/** What the server has heard, connection by connection. */
const received: string[] = []
const clients: Client[] = []

/** Sends back what it is sent. */
beforeEach(async () => {
  echo = createServer((socket) => {
    const place = received.push('') - 1
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received[place] = `${received[place] ?? ''}${String(chunk)}`
      socket.write(chunk)
    })
  })
  proxy = await FaultProxy.start(await listen(echo))
})
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  received.length = 0
  await proxy.close()
  await new Promise((resolve) => echo.close(resolve))
})

interface Client {
  readonly socket: Socket
  readonly heard: () => string
  /** How it ended: EOF, or the code of its error. */
  readonly ended: Promise<string>
}

function open(): Client {
  const socket = connect(proxy.port, '127.0.0.1')
  let heard = ''
  let ending = 'EOF'
  socket.on('data', (chunk) => (heard += String(chunk)))
  socket.on('error', (error: NodeJS.ErrnoException) => (ending = error.code ?? error.message))
  const client = {
    socket,
    heard: () => heard,
    ended: new Promise<string>((resolve) => socket.once('close', () => resolve(ending))),
  }
  clients.push(client)
  return client
}

async function hears(client: Client, text: string): Promise<void> {
  await poll(() => client.heard() === text, { what: `${text} comes back` })
}

async function talking(): Promise<Client> {
  const client = open()
  client.socket.write('hello')
  await hears(client, 'hello')
  return client
}

describe('the fault proxy', () => {
  it('carries everything both ways, and counts who is connected', async () => {
    const client = await talking()
    expect(proxy.connections).toBe(1)
    client.socket.end()
    expect(await client.ended).toBe('EOF')
    await poll(() => proxy.connections === 0, { what: 'nobody is connected' })
  })

  it('stops, refuses connections, and starts again on the same port', async () => {
    const client = await talking()
    await proxy.stop()
    expect(await client.ended).toBe('EOF')
    expect(await open().ended).toBe('ECONNREFUSED')
    await proxy.start()
    await talking()
  })

  it('resets what is open, and what is made if it is to refuse', async () => {
    const client = await talking()
    proxy.reset()
    expect(await client.ended).toBe('ECONNRESET')
    proxy.refuse()
    expect(await open().ended).toBe('ECONNRESET')
    proxy.heal()
    await talking()
  })

  it('falls silent on what is open, and not on what is made then', async () => {
    const client = await talking()
    proxy.silence()
    client.socket.write('again')
    await talking()
    expect(client.heard()).toBe('hello')
    expect(proxy.connections).toBe(2)
  })

  it('is a black hole: what is open and what is made stays open and hears nothing, until it is healed', async () => {
    const client = await talking()
    proxy.blackHole()
    const other = open()
    for (const { socket } of [client, other]) socket.write('again')
    await poll(() => proxy.connections === 2, { what: 'the second one is accepted' })
    proxy.heal()
    await talking()
    expect([client.heard(), other.heard()]).toEqual(['hello', ''])
  })

  it.each(['up', 'down'] as const)(
    'loses what goes %s, on what is open and on what is made, and it arrives when that is over',
    async (direction) => {
      const client = await talking()
      proxy.partition(direction)
      const other = open()
      for (const { socket } of [client, other]) socket.write('again')
      // What is not lost on its way up has come there, and its echo is lost.
      const came = direction === 'up' ? ['hello', ''] : ['helloagain', 'again']
      await poll(() => received.length === 2 && received.join() === came.join(), { what: 'the server has heard it' })
      expect([client.heard(), other.heard()]).toEqual(['hello', ''])
      proxy.heal()
      await hears(client, 'helloagain')
      await hears(other, 'again')
    },
  )

  it.each(['up', 'down'] as const)(
    'cuts after so many bytes %s, of what is open and of what is made',
    async (direction) => {
      const client = await talking()
      proxy.cutAfter(direction, 3)
      const other = open()
      for (const { socket } of [client, other]) socket.write('again')
      expect([await client.ended, await other.ended]).toEqual(['EOF', 'EOF'])
      const came = direction === 'up' ? received : [client.heard(), other.heard()]
      await poll(() => came.join() === 'helloaga,aga', { what: 'what comes through comes through' })
    },
  )

  it('cuts behind a message of one type, wherever the packets end', async () => {
    await proxy.close()
    proxy = await FaultProxy.start((echo.address() as AddressInfo).port, { reads: true })
    proxy.cutBehind('D')
    const client = open()
    const messages = ['T', 'D', 'C'].map((type) => message(type, Buffer.from('row')).toString('latin1'))
    const sent = messages.join('')
    client.socket.write(sent.slice(0, 10))
    await hears(client, messages[0] ?? '')
    client.socket.write(sent.slice(10))
    expect(await client.ended).toBe('EOF')
    expect(client.heard()).toBe(messages.slice(0, 2).join(''))
  })

  it('delays, and keeps the order', async () => {
    proxy.delay(5)
    const client = open()
    for (const letter of 'hello') client.socket.write(letter)
    await hears(client, 'hello')
  })

  it('leads elsewhere', async () => {
    const other = createServer((socket) => socket.end('elsewhere'))
    proxy.moveTo(await listen(other))
    const client = open()
    expect(await client.ended).toBe('EOF')
    expect(client.heard()).toBe('elsewhere')
    await new Promise((resolve) => other.close(resolve))
  })
})
