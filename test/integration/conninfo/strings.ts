import fc from 'fast-check'

import { connInfoKeywords } from '../../../src/core/conninfo/keywords'

/** Pieces that mean something to one of the two parsers, weighted by how often they go wrong. */
const pieces = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...':/?#[]@!$&\'()*+,;= %\\".-_~'.split('')) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('%20', '%2C', '%2f', '%3A', '%00', '%zz', '%4', '%', '%C3%A9', '%ff', '%E2%82'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'a',
      'db1',
      'user',
      '5432',
      '::1',
      '127.0.0.1',
      'é',
      '€',
      '🐘',
      '\t',
      '\n',
      '\v',
      '\f',
      '\r',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(...connInfoKeywords, 'ssl', 'requiressl', 'true', '1', 'schema', 'Host') },
)
const junk = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''))
const word = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z0-9.-]{1,8}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ' ', ' a', 'a ', 'a b', '+', "it's", '%20x', 'x%20y', '\\', 'Größe', 'a,b', '1,2,3'),
  },
  { weight: 1, arbitrary: junk },
)
const keyword = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...connInfoKeywords) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('ssl', 'requiressl', 'schema', 'HOST', 'authtype', '', ' host', 'host ', 'h%6fst'),
  },
  { weight: 1, arbitrary: junk },
)
const often = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 2, arbitrary }, { weight: 1, arbitrary: fc.constant(otherwise) })

const host = fc.oneof(
  { weight: 5, arbitrary: word },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[::1]', '[fe80::1%25eth0]', '[]', '[::1', '[::1]x', '%2Fvar%2Frun', '', '@sock'),
  },
)
const netloc = fc
  .tuple(
    host,
    often(
      word.map((port) => `:${port}`),
      '',
    ),
  )
  .map((parts) => parts.join(''))
const parameter = fc
  .tuple(keyword, fc.constantFrom('=', '=', '=', '=', '=', '=', '', '=='), fc.oneof(word, fc.constant('true')))
  .map((parts) => parts.join(''))
const uri = fc
  .tuple(
    fc.constantFrom('postgres://', 'postgresql://', 'postgresql://', 'postgres:/', 'POSTGRES://'),
    often(
      fc
        .tuple(
          word,
          often(
            word.map((password) => `:${password}`),
            '',
          ),
        )
        .map((parts) => `${parts.join('')}@`),
      '',
    ),
    fc.array(netloc, { minLength: 1, maxLength: 3 }).map((hosts) => hosts.join(',')),
    often(
      word.map((dbname) => `/${dbname}`),
      '',
    ),
    often(
      fc.array(parameter, { maxLength: 4 }).map((parameters) => `?${parameters.join('&')}`),
      '',
    ),
    fc.constantFrom('', '', '', '', '&', '#x', ' '),
  )
  .map((parts) => parts.join(''))

const space = fc.constantFrom('', '', ' ', '  ', '\t', '\n')
const value = fc.oneof(
  word,
  word.map((plain) => `'${plain}'`),
  word.map((plain) => `'${plain.replaceAll(/['\\]/g, '\\$&')}'`),
  word.map((plain) => `'${plain}`),
)
const pair = fc
  .tuple(
    space,
    keyword,
    space,
    fc.constantFrom('=', '=', '=', '=', '=', ''),
    space,
    value,
    fc.constantFrom(' ', ' ', ' ', ''),
  )
  .map((parts) => parts.join(''))
const keywordValue = fc.array(pair, { maxLength: 4 }).map((pairs) => pairs.join(''))

/** Strings of both forms from well-formed to hopeless. */
export const connectionStrings: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: uri },
  { weight: 4, arbitrary: keywordValue },
  { weight: 1, arbitrary: junk },
  { weight: 1, arbitrary: junk.map((rest) => `postgresql://${rest}`) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
)
