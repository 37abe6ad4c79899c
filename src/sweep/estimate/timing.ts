import type { Timing } from "../../contract/generated/types.ts";

export const noTime: Timing = { ms: 0, low_ms: 0, high_ms: 0 };

/** A work that takes several units. */
export function times({ ms, low_ms, high_ms }: Timing, units: number): Timing {
  return { ms: ms * units, low_ms: low_ms * units, high_ms: high_ms * units };
}

/** The same; undefined if the unit is not known, unless there is nothing to do. */
export function timesOf(unit: Timing | undefined, units: number): Timing | undefined {
  if (units === 0) return noTime;
  return unit === undefined ? undefined : times(unit, units);
}

/** Works one after the other. */
export function total(timings: readonly Timing[]): Timing {
  return each((key) => sum(timings.map((timing) => timing[key])));
}

/** The same; undefined if one of them is not known. */
export function totalOf(timings: readonly (Timing | undefined)[]): Timing | undefined {
  const known = timings.filter((timing) => timing !== undefined);
  return known.length === timings.length ? total(known) : undefined;
}

/** The mean, the shortest and the longest; undefined without any. */
export function timingOf(values_ms: readonly number[]): Timing | undefined {
  if (values_ms.length === 0) return undefined;
  return {
    ms: sum(values_ms) / values_ms.length,
    low_ms: values_ms.reduce((low, ms) => Math.min(low, ms), Number.POSITIVE_INFINITY),
    high_ms: values_ms.reduce((high, ms) => Math.max(high, ms), 0),
  };
}

/** The same work, measured by several processes at the same time. */
export function merged(timings: readonly Timing[]): Timing {
  return {
    ms: sum(timings.map(({ ms }) => ms)) / timings.length,
    low_ms: Math.min(...timings.map(({ low_ms }) => low_ms)),
    high_ms: Math.max(...timings.map(({ high_ms }) => high_ms)),
  };
}

/** The time until all works have ended, if each begins when the first worker is free. */
export function makespan(works: readonly Timing[], numWorkers: number): Timing {
  return each((key) => {
    const freeAt = Array.from({ length: Math.max(1, numWorkers) }, () => 0);
    for (const work of works) {
      const worker = freeAt.indexOf(Math.min(...freeAt));
      freeAt[worker] = (freeAt[worker] ?? 0) + work[key];
    }
    return Math.max(...freeAt);
  });
}

export function sum(values: readonly number[]): number {
  return values.reduce((added, value) => added + value, 0);
}

function each(value: (key: keyof Timing) => number): Timing {
  return { ms: value("ms"), low_ms: value("low_ms"), high_ms: value("high_ms") };
}
