import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../../../support'

/** A certificate and its key, as files and as text. */
export interface Certified {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

/** A certificate authority that lives as long as a test file. */
export interface Authority {
  readonly directory: string
  readonly ca: string
  readonly caFile: string
  /** For a server of this name, or a user; valid from yesterday, for as many days as given. */
  issue(name: string, options?: { days?: number; passphrase?: string }): Certified
  remove(): void
}

/** Makes one with the system's openssl. */
export function createAuthority(name = 'doors'): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'pg-leader-doors-'))
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] })
  }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  openssl(
    'req',
    '-x509',
    ...curve,
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  )
  writeFileSync(join(directory, 'index'), '')
  const date = (days: number): string =>
    new Date(Date.now() + days * 86_400_000).toISOString().replaceAll(/[-:T]|\..*Z/g, '') + 'Z'
  let count = 0
  return {
    directory,
    ca: readFileSync(join(directory, 'ca.crt'), 'utf8'),
    caFile: join(directory, 'ca.crt'),
    issue(subject, { days = 2, passphrase } = {}) {
      count += 1
      const [key, request, cert, config] = ['key', 'csr', 'crt', 'conf'].map((ending) => `${count}.${ending}`) as [
        string,
        string,
        string,
        string,
      ]
      const secret = passphrase === undefined ? ['-nodes'] : ['-passout', `pass:${passphrase}`]
      openssl('req', ...curve, ...secret, '-keyout', key, '-out', request, '-subj', `/CN=${subject}`)
      writeFileSync(
        join(directory, config),
        `[ca]\ndefault_ca=d\n[d]\ndatabase=index\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nrand_serial=yes\n` +
          `unique_subject=no\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:${subject}\n`,
      )
      const dates = ['-startdate', date(-3), '-enddate', date(days)]
      openssl(
        'ca',
        '-batch',
        '-config',
        config,
        '-cert',
        'ca.crt',
        '-keyfile',
        'ca.key',
        ...dates,
        '-in',
        request,
        '-out',
        cert,
        '-notext',
      )
      const [certFile, keyFile] = [join(directory, cert), join(directory, key)]
      return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile }
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** Gives a running server its certificate, or turns TLS off. It writes the files itself, whoever it runs as. */
export async function serveTls(host: Host, certified: Certified | undefined, ca?: string): Promise<void> {
  const files =
    certified === undefined ? {} : { 'server.crt': certified.cert, 'server.key': certified.key, 'clients.crt': ca }
  for (const [file, text] of Object.entries(files)) {
    if (text === undefined) continue
    const lines = `select unnest(string_to_array('${text.trim()}', chr(10)))`
    await host.query(`copy (${lines}) to program 'umask 077 && cat >${file}'`)
  }
  await host.query(`alter system set ssl = ${certified === undefined ? 'off' : 'on'}`)
  if (ca !== undefined) await host.query(`alter system set ssl_ca_file = 'clients.crt'`)
  await host.query('select pg_reload_conf()')
}
