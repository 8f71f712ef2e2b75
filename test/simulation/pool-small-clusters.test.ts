import { vi } from 'vitest'
import { histories } from './support/pool/history'
import { judge } from './support/pool/judge'

vi.mock('../../src/client/dial', () => import('./support/pool/sim-dial'))
vi.mock('../../src/monitor/probe', () => import('./support/pool/sim-probe'))

judge(histories([1, 2, 2, 3, 3, 3, 3]), 6000)
