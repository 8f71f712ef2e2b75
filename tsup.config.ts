import { defineConfig } from 'tsup'

/**
 * One build, in CommonJS. Each ESM entry is a list of re-exports of it, written afterwards by config/esm-door.mjs: two builds would be
 * two sets of error classes and two AsyncLocalStorage scopes in one process.
 */
export default defineConfig({
  entry: { index: 'src/index.ts', parser: 'src/parser.ts' },
  format: 'cjs',
  target: 'node20',
  platform: 'node',
  dts: true,
  sourcemap: true,
  clean: true,
  silent: true,
  external: ['pg', 'debug', 'libpg-query'],
  // pg's exports are plain writable properties without an `__esModule` mark, so that `import pg from …` compiled to CommonJS gives the
  // whole module; only `native`, which the subpaths do not have, is not enumerable. esbuild makes getters and sets the mark; this last line makes ours what pg's are.
  footer: {
    js: "module.exports = Object.assign({}, module.exports); if ('native' in module.exports) Object.defineProperty(module.exports, 'native', { enumerable: false });",
  },
})
