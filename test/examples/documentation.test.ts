import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
// Inside the package, so that `pg-leader` is the built package itself.
const folder = join(root, 'temp', `documentation-${process.pid}`)

interface Block {
  readonly where: string
  readonly code: string
}

/** Every block of TypeScript in the README and in the comments of what is public. */
function blocks(): readonly Block[] {
  const declarations = ['index', 'parser'].flatMap((entry) =>
    fenced(`TSDoc of ${entry}`, readFileSync(join(root, `dist/${entry}.d.ts`), 'utf8').replaceAll(/^\s*\* ?/gm, '')),
  )
  return [...fenced('README.md', readFileSync(join(root, 'README.md'), 'utf8')), ...declarations]
}

function fenced(where: string, text: string): readonly Block[] {
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code], index) => ({
    where: `${where}, block ${index + 1}`,
    code: code ?? '',
  }))
}

/** A block that speaks of a pool it does not make goes on from the one that was made above it. */
function complete({ code }: Block): string {
  const makesPool = /\b(?:const|let) pool\b/.test(code) || !/\bpool\b/.test(code)
  return makesPool ? code : `import { Pool } from 'pg-leader'\nconst pool = new Pool()\n${code}`
}

describe('what the documentation shows', () => {
  beforeAll(() => mkdirSync(folder, { recursive: true }))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('compiles', () => {
    const found = blocks()
    expect(found.length).toBeGreaterThanOrEqual(5)
    for (const [index, block] of found.entries()) {
      writeFileSync(join(folder, `block-${index}.mts`), `// ${block.where}\n${complete(block)}\nexport {}\n`)
    }
    const program = ts.createProgram(
      readdirSync(folder).map((name) => join(folder, name)),
      {
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        target: ts.ScriptTarget.ES2022,
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        esModuleInterop: true,
        types: ['node'],
      },
    )
    const complaints = ts.getPreEmitDiagnostics(program).map((each) => {
      const text = ts.flattenDiagnosticMessageText(each.messageText, '\n')
      return `${each.file?.text.split('\n')[0] ?? ''}: ${text}`
    })
    expect(complaints).toEqual([])
  })
})
