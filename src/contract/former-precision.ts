type Json = Record<string, unknown>;

/**
 * An object with `precision` in place of `amp`, which earlier versions had: true, bfloat16 on CUDA only, is `auto`; false is
 * `fp32`. A value, or a list of values, that `amp` never had stays, and so does an `amp` next to a `precision`.
 *
 * @param prefix of the keys: `training.`, or empty.
 */
export function withPrecision(value: Json, prefix: string): Json {
  const [former, key] = [`${prefix}amp`, `${prefix}precision`];
  const amp = value[former];
  const isKnown =
    typeof amp === "boolean" || (Array.isArray(amp) && amp.every((each) => typeof each === "boolean"));
  if (!isKnown || key in value) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] =>
    name === former ? [key, Array.isArray(amp) ? amp.map(precisionOf) : precisionOf(amp)] : [name, item],
  );
  return Object.fromEntries(entries);
}

function precisionOf(amp: unknown): string {
  return amp === true ? "auto" : "fp32";
}
