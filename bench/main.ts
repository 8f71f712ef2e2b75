import type { Role } from './support/child'

/** The benchmarks: each takes its flags and returns the exit code, 1 if a bound was missed. */
const benches: Readonly<Record<string, () => Promise<(args: readonly string[]) => Promise<number>>>> = {
  failover: async () => (await import('./failover/failover')).failover,
  overhead: async () => (await import('./overhead/overhead')).overhead,
  hold: async () => (await import('./hold/hold')).hold,
  outcome: async () => (await import('./outcome/outcome')).outcome,
  reads: async () => (await import('./reads/reads')).reads,
  routing: async () => (await import('./routing/routing')).routing,
}

const roles: Readonly<Record<Role, () => Promise<() => void>>> = {
  workload: async () => (await import('./failover/workload')).serveWorkload,
  watcher: async () => (await import('./failover/watcher')).serveWatcher,
  'overhead-client': async () => (await import('./overhead/client')).serveOverheadClient,
  'outcome-client': async () => (await import('./outcome/client')).serveOutcomeClient,
  'reads-client': async () => (await import('./reads/client')).serveReadsClient,
  'hold-client': async () => (await import('./hold/client')).serveHoldClient,
  'hold-proxies': async () => (await import('./hold/proxies')).serveProxies,
}

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  const bench = await benches[name]?.()
  if (bench !== undefined) return bench(args)
  console.error(`usage: npm run bench -- ${Object.keys(benches).join('|')} [--json FILE] [flags]`)
  return 2
}

const [name, role] = process.argv.slice(2)
if (name === 'child') {
  void roles[role as Role]().then((start) => start())
} else {
  main(process.argv.slice(2)).then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(error)
      process.exit(2)
    },
  )
}
