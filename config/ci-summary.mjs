// Adds up what .ci/run saw: ci-summary.mjs <failed steps> <folder of name.json and name.exit>. Prints `N passed, N failed` and fails if anything did.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const [steps, folder] = process.argv.slice(2)
let passed = 0
let failed = Number(steps)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.exit'))) {
  const exit = Number(readFileSync(join(folder, file), 'utf8'))
  const report = join(folder, file.replace('.exit', '.json'))
  const { numPassedTests = 0, numFailedTests = 0 } = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {}
  passed += numPassedTests
  // A file that does not load, an unhandled error or a run that died has no failed test to show, but it failed all the same.
  failed += numFailedTests > 0 || exit === 0 ? numFailedTests : 1
}
// No test at all is no success.
if (passed + failed === 0) failed = 1

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
