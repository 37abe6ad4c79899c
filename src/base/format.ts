/** 1234567 -> "1,234,567", the same in every locale. */
export function count(number: number): string {
  return number.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** 1 -> "1 image", 2000 -> "2,000 images". */
export function counted(number: number, thing: string): string {
  return `${count(number)} ${thing}${number === 1 ? "" : "s"}`;
}

/** 0.5312 -> "53.1 %". */
export function percent(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)} %`;
}

/** 93,400 ms -> "1 min 33 s". */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1,234,567 -> "1.2 MB", 400,000,000 -> "400 MB"; decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes >= 99_950_000 && bytes < 999_500_000) return `${Math.round(bytes / 1e6)} MB`;
  const { divisor, unit, digits } = byteUnit(bytes);
  return `${(bytes / divisor).toFixed(digits)} ${unit}`;
}

/** 3.2e9 of 13.5e9 -> "3.2 of 13.5 GB". */
export function formatBytesOf(done: number, total: number): string {
  const { divisor, unit, digits } = byteUnit(total);
  return `${(done / divisor).toFixed(digits)} of ${(total / divisor).toFixed(digits)} ${unit}`;
}

function byteUnit(bytes: number): { divisor: number; unit: string; digits: number } {
  if (bytes < 999_500) return { divisor: 1e3, unit: "KB", digits: 0 };
  if (bytes < 999_950_000) return { divisor: 1e6, unit: "MB", digits: 1 };
  return { divisor: 1e9, unit: "GB", digits: 1 };
}

/** ["a", "b", "c"] -> "a, b and c", or with another last `word`, "a, b or c". */
export function joinWords(items: readonly string[], word: "and" | "or" = "and"): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} ${word} ${last}`;
}

/** With a period at its end, once. */
export function asSentence(text: string): string {
  return text.replace(/\.?$/, ".");
}

/** Lines of at most `columns` characters; a longer word is split. */
export function wrapText(text: string, columns: number): string[] {
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${columns}}`, "gu")) ?? []);
  return wrapWords(words, columns);
}

/** The first lines of a text; if there are more, the last one ends in an ellipsis. */
export function wrapLines(text: string, columns: number, maxLines: number): string[] {
  // A line has at most two code units a column (surrogate pairs), and a space: the rest is not needed.
  const start = text.replace(/\s+/g, " ").slice(0, (2 * columns + 1) * (maxLines + 1));
  const lines = wrapText(start, columns);
  if (lines.length <= maxLines) return lines;
  const last = [...(lines[maxLines - 1] ?? "")].slice(0, columns - 2).join("");
  return [...lines.slice(0, maxLines - 1), `${last} …`];
}

/** The same as `wrapText` for words that must not be split. */
export function wrapWords(words: string[], columns: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** An argument as it is typed into a POSIX shell. */
export function quoteForShell(argument: string): string {
  return /^[\w./:=,@%+-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** A text as the name of a sweep: lower-case letters and digits, with single hyphens between them. */
export function slug(text: string): string {
  const words = text
    .toLowerCase()
    .replaceAll("+", "plus")
    .split(/[^a-z0-9]+/);
  return words
    .filter((word) => word !== "")
    .join("-")
    .slice(0, 63);
}

/** The order of two texts for `sort`, the same in every locale. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The text before and after the first separator; undefined after it if there is none. */
export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}
