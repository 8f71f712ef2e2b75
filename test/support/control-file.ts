import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Two fields of global/pg_control, for want of pg_controldata and pg_resetwal. Its head has been the same since
 * PostgreSQL 11: system identifier, two versions, state, time, and the LSN of the last checkpoint.
 */
const SYSTEM_IDENTIFIER = 0
const LAST_CHECKPOINT = 32
/** Where the first page of a WAL segment repeats the system identifier. */
const SEGMENT_SYSTEM_IDENTIFIER = 24
const FIRST_SEGMENT = '000000010000000000000001'

const controlPath = (dataDirectory: string): string => join(dataDirectory, 'global', 'pg_control')

/** The LSN where the last checkpoint's record begins. After a clean stop it is the last record there is. */
export async function lastCheckpoint(dataDirectory: string): Promise<bigint> {
  return (await readFile(controlPath(dataDirectory))).readBigUInt64LE(LAST_CHECKPOINT)
}

/**
 * Gives a data directory that was never started an identity of its own. Copies of one template would otherwise pass for
 * hosts of the same cluster, and that is what the system identifier is there to tell.
 */
export async function setSystemIdentifier(dataDirectory: string, identifier: bigint): Promise<void> {
  const control = await readFile(controlPath(dataDirectory))
  const checksumAt = findChecksum(control)
  control.writeBigUInt64LE(identifier, SYSTEM_IDENTIFIER)
  control.writeUInt32LE(crc32c(control.subarray(0, checksumAt)), checksumAt)
  await overwrite(controlPath(dataDirectory), control, 0)
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(identifier)
  await overwrite(join(dataDirectory, 'pg_wal', FIRST_SEGMENT), bytes, SEGMENT_SYSTEM_IDENTIFIER)
}

async function overwrite(path: string, bytes: Buffer, position: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.write(bytes, 0, bytes.length, position)
  } finally {
    await file.close()
  }
}

/** The checksum covers everything before it; where that is differs between majors, so it is recognised by being right. */
function findChecksum(control: Buffer): number {
  for (let at = LAST_CHECKPOINT + 8; at < 512; at += 4) {
    if (control.readUInt32LE(at) === crc32c(control.subarray(0, at))) return at
  }
  throw new Error('no checksum found in pg_control')
}

/** CRC-32C (Castagnoli, reflected). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}
