/** Options with some of them replaced. By descriptors: pg-pool hides the password from enumeration. */
export function copyOptions(options: object, own: object): object {
  const descriptors = { ...Object.getOwnPropertyDescriptors(options), ...Object.getOwnPropertyDescriptors(own) }
  return Object.defineProperties({}, descriptors)
}
