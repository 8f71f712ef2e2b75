import { defineConfig } from 'eslint/config'
import { resolve } from 'node:path'
import tseslint from 'typescript-eslint'

const notInCore = (name) => ({
  name,
  message: 'core is pure: take the value as an argument, or move this to src/runtime.',
})

const notInRoom = (name) => ({
  name,
  message: 'src/runtime is the only room with a clock, timers and chance: use its.',
})
const clocks = ['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate']

const noEnum = { selector: 'TSEnumDeclaration', message: 'Use a union of literals, or an object `as const`.' }
const noDefaultExport = { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }

export default defineConfig(
  { ignores: ['dist/', 'coverage/', 'temp/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  {
    files: ['**/*.ts', '**/*.mts', '**/*.cts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: resolve(import.meta.dirname, '..') },
    },
    rules: {
      'no-restricted-syntax': ['error', noEnum, noDefaultExport],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: false } },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: true, considerDefaultExhaustiveForUnions: true },
      ],
      // Errors name ports, milliseconds and counts all the time.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `signal?.addEventListener('abort', () => stop())` and `return void later()` read better than a block.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      // A value that pg's types promise may be missing on another version of pg.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // pg's interface has methods that are called unbound (`done === client.release`).
      '@typescript-eslint/unbound-method': 'off',
      // `async` keeps a function's promise form even where nothing is awaited: a throw becomes a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // What pg or a user's function threw is passed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/runtime/**'],
    rules: {
      'no-restricted-globals': ['error', ...clocks.map(notInRoom)],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Use src/runtime/random.' }],
    },
  },
  {
    files: ['src/core/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...[...clocks, 'clearTimeout', 'clearInterval'].map(notInCore),
        ...['clearImmediate', 'queueMicrotask', 'process', 'console', 'Buffer', 'crypto', 'fetch', 'globalThis'].map(
          notInCore,
        ),
      ],
      '@typescript-eslint/no-restricted-types': [
        'error',
        { types: { Buffer: 'Use Uint8Array or string.', Date: 'Use milliseconds.' } },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Take a random source as an argument.' },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**', 'demo/**', 'soak/**', 'examples/**'],
    rules: {
      // Tests look into values of `any` type (rows, errors of pg) and assert them right there.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Awaiting what may or may not be a promise is what a test of both forms does.
      '@typescript-eslint/await-thenable': 'off',
      // `types.getTypeParser(23)`, as everybody writes it; the types of pg-types want its enum.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    },
  },
  { files: ['*.config.ts', 'config/**', '**/*.d.ts'], rules: { 'no-restricted-syntax': ['error', noEnum] } },
)
