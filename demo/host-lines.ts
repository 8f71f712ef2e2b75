import type { HostSnapshot } from '../src/index'
import { line, span } from './style'
import type { Line, Tone } from './style'
import { bytes } from './units'
import type { Stage } from './view'

/** Below that the addresses, which say the least, are left out. */
const COLUMNS_WITH_ADDRESS = 58

/** Every host, as the pool sees it. */
export function drawHosts({ cluster, pool }: Stage, columns: number): Line[] {
  const wide = columns >= COLUMNS_WITH_ADDRESS
  const head = span(`   ${'host'.padEnd(wide ? 24 : 7)}${'role'.padEnd(12)}${'timeline'.padEnd(10)}lag`, 'faint')
  const known = pool.topology.hosts
  return [
    line(head),
    ...cluster.hosts.map(({ host, port, name }) => {
      const key = `${host}:${port}`
      return hostLine(
        name,
        wide ? key.padEnd(17) : '',
        known.find((each) => each.host === key),
      )
    }),
  ]
}

function hostLine(name: string, address: string, known: HostSnapshot | undefined): Line {
  const role = known?.role ?? 'unknown'
  const { sign, tone, words } = looks(role)
  const answers = role !== 'unknown'
  const timeline = answers ? String(known?.timeline ?? '') : ''
  const lag = role === 'standby' && known?.lagBytes !== undefined ? bytes(known.lagBytes) : ''
  return line(
    span(` ${sign} `, tone),
    name.padEnd(7),
    span(address, 'faint'),
    span(words.padEnd(12), tone),
    timeline.padEnd(10),
    lag,
  )
}

function looks(role: HostSnapshot['role']): { sign: string; tone: Tone; words: string } {
  switch (role) {
    case 'leader':
      return { sign: '●', tone: 'good', words: 'leader' }
    case 'standby':
      return { sign: '○', tone: 'calm', words: 'standby' }
    case 'unknown':
      return { sign: '✕', tone: 'bad', words: 'no answer' }
    case 'stale':
    case 'foreign':
    case 'read-only':
    case 'primary':
      return { sign: '!', tone: 'slow', words: role }
    default:
      return role satisfies never
  }
}
