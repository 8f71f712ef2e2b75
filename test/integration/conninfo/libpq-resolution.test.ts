import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { noPassword } from '../../../src/client/conninfo/password-function'
import { resolveOptions } from '../../../src/client/conninfo/resolve-options'
import { readService } from '../../../src/client/conninfo/service'
import { processSurroundings } from '../../../src/client/conninfo/surroundings'
import type { Surroundings } from '../../../src/client/conninfo/surroundings'
import { readEnvironment } from '../../../src/core/conninfo/environment'
import { connInfoKeywords, variableOf } from '../../../src/core/conninfo/keywords'
import { parseConnInfo } from '../../../src/core/conninfo/parse-conn-info'
import { resolveConnInfo } from '../../../src/core/conninfo/resolve-conn-info'
import passwordFile from '../../spec/conninfo/password-file.json'
import serviceFile from '../../spec/conninfo/service-file.json'
import { hexOf, openLibpq } from './libpq-oracle'
import type { LibpqOracle } from './libpq-oracle'

type Env = Readonly<Record<string, string>>

/** What would be sent: libpq holds an empty text where it would send none. */
function sent(password: unknown): string {
  return password === noPassword ? '' : (password as string)
}

/** A port nobody listens on: whatever libpq resolves, its connection fails at once and never leaves this machine. */
const nowhere = 'hostaddr=127.0.0.1 port=1'

describe('what libpq resolves', () => {
  let libpq: LibpqOracle
  let home: string

  beforeAll(() => {
    libpq = openLibpq()
    home = mkdtempSync(join(tmpdir(), 'pg-leader-home-'))
  })
  afterAll(async () => {
    await libpq.close()
    rmSync(home, { recursive: true, force: true })
  })

  function surroundings(env: Env): Surroundings {
    return { ...processSurroundings(), env: { HOME: home, ...env } }
  }

  function write(name: string, text: string, mode = 0o600): string {
    const path = join(home, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }

  /** Values libpq checks before it says what it resolved. */
  const sensible: Readonly<Record<string, string>> = {
    channel_binding: 'disable',
    connect_timeout: '7',
    gssencmode: 'disable',
    gssdelegation: '0',
    hostaddr: '127.0.0.1',
    load_balance_hosts: 'random',
    max_protocol_version: '3.0',
    min_protocol_version: '3.0',
    port: '1',
    require_auth: 'password',
    ssl_max_protocol_version: 'TLSv1.3',
    ssl_min_protocol_version: 'TLSv1.2',
    sslcertmode: 'allow',
    sslcompression: '0',
    sslmode: 'disable',
    sslnegotiation: 'postgres',
    sslsni: '0',
    target_session_attrs: 'standby',
  }
  const variables = connInfoKeywords.flatMap((keyword) => {
    const variable = variableOf(keyword)
    return variable === undefined || keyword === 'service' ? [] : [{ keyword, variable }]
  })

  it.each(variables)('from $variable: $keyword', async ({ keyword, variable }) => {
    const value = sensible[keyword] ?? `from ${variable}`
    const env = { HOME: home, PGHOSTADDR: '127.0.0.1', PGPORT: '1', [variable]: value }
    const [answer] = await libpq.start([{ text: '', env }])
    expect(answer?.values[keyword]).toBe(hexOf(value))
    expect(readEnvironment(env)[keyword]).toBe(value)
  })

  it('takes PGREQUIRESSL where PGSSLMODE is not set', async () => {
    const cases: readonly Env[] = [
      { PGREQUIRESSL: '1' },
      { PGREQUIRESSL: '1', PGSSLMODE: 'disable' },
      { PGREQUIRESSL: '1x' },
    ]
    const answers = await libpq.start(cases.map((env) => ({ text: nowhere, env })))
    expect(answers.map(({ values }) => values['sslmode'])).toEqual(
      cases.map((env) => hexOf(readEnvironment(env).sslmode ?? '')),
    )
  })

  it('takes explicit before service file before environment', async () => {
    const file = write('services', '[s]\nuser=service\ndbname=service\napplication_name=service\nconnect_timeout=3\n')
    const env = {
      PGSERVICEFILE: file,
      PGUSER: 'env',
      PGDATABASE: 'env',
      PGAPPNAME: 'env',
      PGOPTIONS: '-cenv',
      PGSERVICE: 's',
    }
    const text = `${nowhere} user=explicit`
    const [answer] = await libpq.start([{ text, env }])
    const parsed = parseConnInfo(text)
    const ours = resolveConnInfo({
      explicit: parsed.ok ? parsed.value.parameters : {},
      service: readService('s', surroundings(env)),
      environment: readEnvironment(env),
    })
    expect(ours).toMatchObject({ user: 'explicit', dbname: 'service', application_name: 'service', options: '-cenv' })
    for (const [keyword, value] of Object.entries(ours)) {
      if (keyword !== 'service') expect([keyword, answer?.values[keyword]]).toEqual([keyword, hexOf(value)])
    }
  })

  it('finds the service file in the same places', async () => {
    const named = write('named', '[a]\nuser=named\n')
    write('.pg_service.conf', '[a]\nuser=home\n[b]\nuser=home\n')
    write('system/pg_service.conf', '[a]\nuser=system\n[b]\nuser=system\n[c]\nuser=system\n')
    const PGSYSCONFDIR = join(home, 'system')
    const cases: readonly { service: string; env: Env }[] = [
      { service: 'a', env: { PGSYSCONFDIR, PGSERVICEFILE: named } },
      { service: 'b', env: { PGSYSCONFDIR, PGSERVICEFILE: named } },
      { service: 'a', env: { PGSYSCONFDIR } },
      { service: 'c', env: { PGSYSCONFDIR } },
      { service: 'd', env: { PGSYSCONFDIR } },
      { service: 'a', env: { PGSYSCONFDIR, PGSERVICEFILE: join(home, 'missing') } },
    ]
    const answers = await libpq.start(
      cases.map(({ service, env }) => ({ text: `${nowhere} service=${service}`, env: { HOME: home, ...env } })),
    )
    for (const [index, { service, env }] of cases.entries()) {
      const answer = answers[index]
      const refused = /not found/.test(answer?.message ?? '')
      if (refused) expect(() => readService(service, surroundings(env))).toThrow(/^service: /)
      else expect(hexOf(readService(service, surroundings(env)).user ?? '')).toBe(answer?.values['user'])
    }
    expect(answers.filter(({ message }) => message.includes('not found'))).toHaveLength(2)
  })

  it.each(serviceFile.map((one) => [one.name, one] as const))('reads a service file: %s', async (_name, one) => {
    const env = { PGSERVICEFILE: write('services', one.text), PGSYSCONFDIR: home }
    // A password does not stop libpq from connecting, and a service's own host would be looked up.
    const [answer] = await libpq.start([
      { text: `host='' ${nowhere} service=${one.service}`, env: { HOME: home, ...env } },
    ])
    const refused = /service/.test(answer?.message ?? '')
    if (one.rejects !== undefined || one.parameters === null) {
      expect(refused).toBe(true)
      expect(() => readService(one.service, surroundings(env))).toThrow(/^service: /)
    } else {
      expect(refused).toBe(false)
      const ours = readService(one.service, surroundings(env))
      for (const [keyword, value] of Object.entries(ours)) {
        if (keyword !== 'host' && keyword !== 'port') expect(answer?.values[keyword]).toBe(hexOf(value))
      }
    }
  })

  it.each(passwordFile.map((one) => [one.name, one] as const))('reads a password file: %s', async (_name, one) => {
    const passfile = write('passwords', one.text)
    const quote = (value: string) => `'${value.replaceAll(/['\\]/g, '\\$&')}'`
    const { host, port, dbname, user } = one.key
    const text = `hostaddr=127.0.0.1 host=${quote(host)} port=${port} dbname=${quote(dbname)} user=${quote(user)} passfile=${quote(passfile)}`
    const [answer] = await libpq.start([{ text, env: { HOME: home } }])
    expect(answer?.password).toBe(hexOf(one.password ?? ''))
  })

  it('uses a password file only if nobody else may read it', async () => {
    const modes = [0o600, 0o400, 0o700, 0o640, 0o604, 0o610, 0o666]
    const questions = modes.map((mode) => {
      const passfile = write(`passwords-${mode.toString(8)}`, '*:*:*:*:secret\n', mode)
      return { text: `hostaddr=127.0.0.1 host=a port=1 passfile=${passfile}`, env: { HOME: home } }
    })
    const answers = await libpq.start(questions)
    for (const [index, { text }] of questions.entries()) {
      const follow = resolveOptions(text, surroundings({}))
      const password = follow.hosts.map((host) => follow.clientOptions(host).password)
      expect(password).toEqual([answers[index]?.password === hexOf('secret') ? 'secret' : noPassword])
    }
    expect(answers.filter(({ password }) => password !== '')).toHaveLength(3)
  })

  it('looks for the password file in the same places, for the same host, database and user', async () => {
    const user = userInfo().username
    write(
      '.pgpass',
      [`db1:1:shop:app:one`, `127.0.0.1:1:shop:app:two`, `localhost:1:*:*:socket`, `*:1:${user}:${user}:three`].join(
        '\n',
      ),
    )
    const other = write('other', '*:*:*:*:other\n')
    const cases: readonly { text: string; env: Env }[] = [
      { text: 'host=db1 hostaddr=127.0.0.1 port=1 dbname=shop user=app', env: {} },
      { text: 'hostaddr=127.0.0.1 port=1 dbname=shop user=app', env: {} },
      { text: 'hostaddr=127.0.0.1 port=1 dbname=shop user=app', env: { PGPASSFILE: other } },
      { text: 'hostaddr=127.0.0.1 port=1 user=app dbname=shop password=given', env: {} },
      { text: "hostaddr=127.0.0.1 port=1 user=app dbname=shop password=''", env: {} },
      { text: 'hostaddr=127.0.0.1 port=1 user=app dbname=shop', env: { PGPASSWORD: 'env' } },
      { text: 'host=/tmp port=1 user=app dbname=shop', env: {} },
      { text: 'hostaddr=127.0.0.1 port=1 dbname=shop user=bob', env: {} },
    ]
    const answers = await libpq.start(cases.map(({ text, env }) => ({ text, env: { HOME: home, ...env } })))
    const ours = cases.map(({ text, env }) => {
      const follow = resolveOptions(text, surroundings(env))
      return follow.hosts.map((host) => sent(follow.clientOptions(host).password))
    })
    expect(ours.map(([password]) => hexOf(password ?? ''))).toEqual(answers.map(({ password }) => password))
  })

  it('takes an empty value for given, whatever the environment says, and then for none', async () => {
    const PGSERVICEFILE = write('services', '[empty]\nuser=\ndbname=\npassword=\n')
    const other = write('other', '*:*:*:*:other\n')
    write('.pgpass', 'elsewhere:*:*:*:secret\n')
    const env = { PGUSER: 'env', PGDATABASE: 'env', PGPASSWORD: 'env', PGPASSFILE: other, PGSERVICEFILE }
    const cases: readonly { text: string; env: Env }[] = [
      "user=''",
      "dbname=''",
      "user=u dbname=''",
      "password=''",
      "passfile=''",
      "password='' passfile=''",
      `password='' passfile=${join(home, 'missing')}`,
      'service=empty',
    ].map((given) => ({ text: `${nowhere} ${given}`, env }))
    const uri = { text: 'postgres://u:@127.0.0.1:1/d?hostaddr=127.0.0.1', env }
    const questions = [...cases, uri]
    const answers = await libpq.start(questions.map((one) => ({ ...one, env: { HOME: home, ...one.env } })))
    const { user } = pg.defaults
    pg.defaults.user = undefined
    try {
      const ours = questions.map((one) => {
        const follow = resolveOptions(one.text, surroundings(one.env))
        const config = follow.clientOptions(follow.hosts[0] as never)
        return [config.user ?? '', config.database ?? '', sent(config.password)].map(hexOf)
      })
      expect(ours).toEqual(answers.map(({ values, password }) => [values['user'], values['dbname'], password]))
    } finally {
      pg.defaults.user = user
    }
  })

  it('refuses the same values at once', async () => {
    const texts = [
      "service=''",
      'max_protocol_version=foo',
      "max_protocol_version=''",
      'max_protocol_version=3.1',
      'min_protocol_version=foo',
      'keepalives_interval=x',
      'keepalives_count=x',
      "tcp_user_timeout=''",
      'port=1x',
      'max_protocol_version=latest',
      'keepalives_interval=7',
      'tcp_user_timeout=+7',
      'port=00000000001',
    ].map((given) => `${nowhere} ${given}`)
    const answers = await libpq.start(texts.map((text) => ({ text, env: { HOME: home } })))
    const refusals = texts.map((text) => {
      try {
        return resolveOptions(text, surroundings({})) === undefined
      } catch {
        return true
      }
    })
    expect(refusals).toEqual(answers.map(({ message }) => /invalid|not found/.test(message)))
    expect(refusals.filter((refused) => refused)).toHaveLength(9)
  })

  it('refuses a password and a service that are not UTF-8, which libpq sends as they are', async () => {
    const latin = Buffer.from('*:*:*:*:p\xe9w\n', 'latin1')
    const passfile = write('latin', '')
    writeFileSync(passfile, latin)
    const text = `${nowhere} user=u passfile=${passfile}`
    const [answer] = await libpq.start([{ text, env: { HOME: home } }])
    expect(answer?.password).toBe('70e977')
    const follow = resolveOptions(text, surroundings({}))
    expect(() => follow.clientOptions(follow.hosts[0] as never)).toThrow('is not UTF-8; rewrite the file in UTF-8')
    const PGSERVICEFILE = write('latin-services', '')
    writeFileSync(PGSERVICEFILE, Buffer.from('[s]\nuser=\xe9\n', 'latin1'))
    expect(() => readService('s', surroundings({ PGSERVICEFILE }))).toThrow('the value of user in the file')
  })
})
