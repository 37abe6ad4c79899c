/** Whether a setting (an entry of `also`, or the keys of `vary`) is a baseline: it has a key `baseline.*`. */
export function isBaseline(keys: object): boolean {
  return baselineKeys(keys).length > 0;
}

export function baselineKeys(keys: object): string[] {
  return Object.keys(keys).filter((key) => key.startsWith("baseline."));
}

/** Keys that a ClipRPN has and a baseline has not; limits hold for both. */
export function clipRpnKeys(keys: object): string[] {
  return Object.keys(keys).filter((key) => !key.startsWith("baseline.") && !key.startsWith("limits."));
}
