import { defineConfig } from 'tsup'

/**
 * One build, in CommonJS. The ESM entry is a list of re-exports of it, written afterwards by config/esm-door.mjs: two builds would be
 * two sets of error classes and two AsyncLocalStorage scopes in one process.
 */
export default defineConfig({
  entry: { index: 'src/index.ts' },
  format: 'cjs',
  target: 'node20',
  platform: 'node',
  dts: true,
  sourcemap: true,
  clean: true,
  silent: true,
  external: ['pg', 'debug'],
  // pg's exports are plain writable properties without an `__esModule` mark, so that `import pg from …` compiled to CommonJS gives the
  // whole module; only `native` is not enumerable. esbuild makes getters and sets the mark; this last line makes ours what pg's are.
  footer: {
    js: "module.exports = Object.defineProperty(Object.assign({}, module.exports), 'native', { enumerable: false });",
  },
})
