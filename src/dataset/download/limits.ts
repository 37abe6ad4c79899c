/** How patient a download is. */
export interface Limits {
  /** Without a byte for so long, a mirror is taken to hang. */
  stall_ms: number;
  /** Of one mirror, in a row without news of it: a mirror that sends more and more may break off as often as it likes. */
  num_tries: number;
  /** Before the second try; doubled for each that follows. */
  first_wait_ms: number;
  /** A server that asks for a longer wait (Retry-After) is left for the next one. */
  max_wait_ms: number;
}

export const usualLimits: Limits = {
  stall_ms: 30_000,
  num_tries: 4,
  first_wait_ms: 1000,
  max_wait_ms: 120_000,
};
