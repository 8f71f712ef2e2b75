// `npm run check`: the build, then every check:* script of package.json, two at a time. One line for what is green, everything for what is not.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

/** The type-checked ones take longest: they go first. */
const first = ['check:lint', 'check:types']
const rest = Object.keys(scripts).filter((name) => name.startsWith('check:') && !first.includes(name))
const queue = [...first, ...rest]
const failed = []

if (await run('build')) await Promise.all([worker(), worker()])
else failed.push('build')

if (failed.length > 0) {
  console.log(`\ncheck failed: ${failed.join(', ')}`)
  process.exitCode = 1
}

async function worker() {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (!(await run(name))) failed.push(name)
  }
}

async function run(name) {
  const start = performance.now()
  const child = spawn('npm', ['run', '--silent', name], {
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  const output = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  const green = await new Promise((resolve) => {
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${green ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (!green) process.stdout.write(Buffer.concat(output))
  return green
}
