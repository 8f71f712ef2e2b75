// `npm run simulate -- --runs N [--seed S [--path P]]`: every simulation over N histories; by default 100,000, and others each time.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '100000' }, seed: { type: 'string' }, path: { type: 'string' } },
})
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31))
console.log(`${values.runs} histories each, seed ${seed}: npm run simulate -- --runs ${values.runs} --seed ${seed}`)
const env = { ...process.env, PG_LEADER_RUNS: values.runs, PG_LEADER_SEED: seed }
if (values.path !== undefined) env.PG_LEADER_PATH = values.path
const { status } = spawnSync(
  'npx',
  ['vitest', 'run', '--config', 'config/vitest.config.mts', '--project', 'simulation'],
  {
    stdio: 'inherit',
    env,
  },
)
process.exitCode = status ?? 1
