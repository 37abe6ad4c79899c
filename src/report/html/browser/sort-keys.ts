/**
 * What a table cell is sorted by: the first number of "+1.9 (−0.4 to +4.2)" or of the seeds "0: 70.5, 1: 72.0", the
 * duration of "1 min 33 s", or a text.
 */
export type SortKey = number | string | undefined;

export function sortKey(text: string): SortKey {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "–") return undefined;
  return quantity(trimmed) ?? leadingNumber(trimmed) ?? trimmed;
}

/** The order of rows by a column. Rows without a value come last in both directions; equal rows keep their order. */
export function sortedOrder(keys: SortKey[], descending: boolean): number[] {
  const isNumeric = isNumericColumn(keys);
  const keyOf = (row: number): SortKey =>
    isNumeric && typeof keys[row] === "string" ? undefined : keys[row];
  const compare = (a: number, b: number): number => {
    const [left, right] = [keyOf(a), keyOf(b)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    const difference = isNumeric
      ? Number(left) - Number(right)
      : collator.compare(String(left), String(right));
    return descending ? -difference : difference;
  };
  return [...keys.keys()].sort((a, b) => compare(a, b) || a - b);
}

/** A column of numbers may have a few words, such as "reference". */
export function isNumericColumn(keys: SortKey[]): boolean {
  const numNumbers = keys.filter((key) => typeof key === "number").length;
  return numNumbers > keys.filter((key) => typeof key === "string").length;
}

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

const units: Record<string, number> = { ms: 1, s: 1e3, min: 6e4, h: 3.6e6, KB: 1e3, MB: 1e6, GB: 1e9 };

function quantity(text: string): number | undefined {
  const whole = /^(?:[\d.]+\s(?:ms|s|min|h|KB|MB|GB)\b\s?)+/.exec(text);
  if (whole === null) return undefined;
  const parts = [...whole[0].matchAll(/([\d.]+)\s([A-Za-z]+)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ""] ?? 1), 0);
}

function leadingNumber(text: string): number | undefined {
  const match = /^(?:[<>]\s|\d+:\s)?([+\-−]?)(\d[\d,]*(?:\.\d+)?)(?![\w.])/.exec(text);
  if (match === null) return undefined;
  const [, sign = "", digits = ""] = match;
  return Number(digits.replaceAll(",", "")) * (sign === "-" || sign === "−" ? -1 : 1);
}
