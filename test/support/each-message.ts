/** Takes whole messages of the protocol, type and length included, out of a stream of bytes. */
export function eachMessage(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0)
  return (chunk) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 5) {
      const size = 1 + pending.readInt32BE(1)
      if (pending.length < size) return
      const message = pending.subarray(0, size)
      pending = pending.subarray(size)
      take(message)
    }
  }
}
