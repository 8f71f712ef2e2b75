// `npm run test:nodes`: the tests that depend on Node's async contexts, on the other majors of Node that are supported. Their binaries come
// from npm's package `node`, and stay in temp/nodes. Prints `N passed, N failed` for each of them; `--outputFile.json=` gets the sums.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const majors = ['22', '24']
const tests = ['--project', 'integration', 'test/integration/reads/scope.test.ts']

const root = resolve(import.meta.dirname, '..')
const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'config/vitest.config.mts', ...tests]
const outputFile = '--outputFile.json='
const sums = { numPassedTests: 0, numFailedTests: 0 }

for (const major of majors) {
  const { passed, failed } = testOn(major)
  console.log(`Node ${major}: ${passed} passed, ${failed} failed`)
  sums.numPassedTests += passed
  sums.numFailedTests += failed
}
if (sums.numFailedTests > 0) process.exitCode = 1
const wanted = process.argv.find((option) => option.startsWith(outputFile))
if (wanted !== undefined) writeFileSync(resolve(root, wanted.slice(outputFile.length)), JSON.stringify(sums))

/** What has no tests to show for itself has failed: a binary that is not to be had, or is another one; a file that does not load. */
function testOn(major) {
  const home = join(root, 'temp/nodes', major)
  const report = join(home, 'report.json')
  const node = install(major, home)
  rmSync(report, { force: true })
  const reporters = ['--reporter=dot', '--reporter=json', `${outputFile}${report}`]
  const ran = node !== undefined && spawnSync(node, [...vitest, ...reporters], { cwd: root, stdio: 'inherit' })
  const { numPassedTests: passed = 0, numFailedTests = 0 } = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : {}
  const isGreen = ran && ran.status === 0 && passed > 0
  return { passed, failed: isGreen ? 0 : Math.max(1, numFailedTests) }
}

/** Its binary, which is fetched where it is not there yet; undefined if it is not to be had. */
function install(major, home) {
  const node = join(home, 'node_modules/node/bin/node')
  if (isOf(major, node)) return node
  mkdirSync(home, { recursive: true })
  spawnSync('npm', ['install', '--prefix', home, '--no-save', '--no-audit', '--no-fund', `node@${major}`], {
    cwd: home,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return isOf(major, node) ? node : undefined
}

function isOf(major, node) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return stdout?.startsWith(`v${major}.`) === true
}
