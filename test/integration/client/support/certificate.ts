import type { Host } from '../../../support'

/** A certificate for the name db.test that signs itself, made for these tests and good for nothing else. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBWzCCAQGgAwIBAgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdkYi50ZXN0
MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjASMRAwDgYDVQQDDAdk
Yi50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY6HsT3Iwa6ebSncx9sTV
FNkw4hTcQxjCG1dAzL1lcFhA14ESS9N4P1Xm0sjhcP6QKe5WeNJcl+Bjf/ftcpX3
IqNGMEQwEgYDVR0RBAswCYIHZGIudGVzdDAPBgNVHRMBAf8EBTADAQH/MB0GA1Ud
DgQWBBRPpDXBU+CTzAK5Ovn8/r9U2g1B4DAKBggqhkjOPQQDAgNIADBFAiEA3CxO
WSameSVdk7I5dVprCloJ5h3reyjqkVRLfyfIaF0CIGyRBVrUER4IMIDNPcmkGOHC
GtfVDViBZKmICD/d9/03
-----END CERTIFICATE-----
`

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJ9l85fW2mbnWtmqL
Annk7K76t/HOIoTuwwWtDtUdBCmhRANCAARjoexPcjBrp5tKdzH2xNUU2TDiFNxD
GMIbV0DMvWVwWEDXgRJL03g/VebSyOFw/pAp7lZ40lyX4GN/9+1ylfci
-----END PRIVATE KEY-----
`

/** Turns TLS on. The server writes the files itself, so that they are its own whoever it runs as. */
export async function useTls(host: Host): Promise<void> {
  for (const [file, text] of [
    ['server.crt', certificate],
    ['server.key', key],
  ] as const) {
    const lines = `select unnest(string_to_array('${text.trim()}', chr(10)))`
    await host.query(`copy (${lines}) to program 'umask 077 && cat >${file}'`)
  }
  await host.query('alter system set ssl = on')
  await host.query('select pg_reload_conf()')
}
