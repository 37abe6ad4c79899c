import { oneLine } from "../base/plain-text.ts";

/** A part of a text that JSON has another way to write. */
export interface SyntaxHint {
  offset: number;
  message: string;
}

/**
 * Finds what is written as in Python, JavaScript or YAML, and says how JSON writes it. Each kind is reported once, at its first
 * place: `'` around every text is one problem.
 *
 * @param text that is not valid JSON.
 */
export function findSyntaxHints(text: string): SyntaxHint[] {
  const { masked, hints } = maskTexts(text.slice(0, maxScanned));
  for (const { pattern, write } of constructs) {
    const match = pattern.exec(masked);
    if (match === null) continue;
    const found = match[1] ?? match[0];
    const offset = match.index + match[0].indexOf(found);
    // `lr = .5` is one problem, not two.
    if (!hints.some((hint) => hint.offset === offset))
      hints.push({
        offset,
        message: `found ${oneLine(text.slice(offset, offset + found.length))}; ${write(found)}`,
      });
  }
  return hints.toSorted((a, b) => a.offset - b.offset);
}

/** Far more than an experiment has; bounds the time for a file that is something else. */
const maxScanned = 20_000;

/** Texts and comments, in the ways of JSON, Python, JavaScript and YAML. */
const quoted =
  /"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|`[^`]*`|[\u201C\u201D\u201E\u201F][^\u201C\u201D"\r\n]*[\u201C\u201D"]|[\u2018\u2019][^\u2018\u2019\r\n]*[\u2018\u2019]|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/|#[^\r\n]*/g;

const notJson: { start: string; write: (found: string) => string }[] = [
  { start: '"""', write: () => 'write one line in double quotes, "..."' },
  { start: "'''", write: () => 'write one line in double quotes, "..."' },
  { start: "'", write: (found) => `write double quotes: ${doubleQuoted(found)}` },
  { start: "`", write: (found) => `write double quotes: ${doubleQuoted(found)}` },
  {
    start: "\u201C\u201D\u201E\u201F\u2018\u2019",
    write: (found) => `write straight quotes: ${doubleQuoted(found)}`,
  },
  { start: "#", write: () => "write // for a comment" },
];

/** Replaces texts and comments by `_`, so that the words in them are not taken for values. */
function maskTexts(text: string): { masked: string; hints: SyntaxHint[] } {
  const hints = new Map<string, SyntaxHint>();
  const masked = text.replace(quoted, (found, offset: number) => {
    const kind = notJson.find(({ start }) =>
      start.length === 3 ? found.startsWith(start) && found.length > 5 : start.includes(found.charAt(0)),
    );
    if (kind !== undefined && !hints.has(kind.start))
      hints.set(kind.start, {
        offset,
        message: `found ${oneLine(shorten(found))}; ${kind.write(shorten(found))}`,
      });
    const isComment = /^[/#]/.test(found);
    return isComment ? " ".repeat(found.length) : `"${"_".repeat(Math.max(0, found.length - 2))}"`;
  });
  return { masked, hints: [...hints.values()] };
}

/** What may follow a value. */
const end = String.raw`(?=\s*[,\]}\s)]|$)`;
const start = String.raw`(?<=[[,:{(=]\s*)`;

/** In texts without strings and comments; the first group is what the message shows. */
const constructs: { pattern: RegExp; write: (found: string) => string }[] = [
  {
    pattern: new RegExp(`${start}(True|False|TRUE|FALSE)${end}`),
    write: (found) => `write ${found.toLowerCase()}`,
  },
  { pattern: new RegExp(`${start}(None|NULL|Null|nil|undefined)${end}`), write: () => "write null" },
  {
    pattern: new RegExp(`${start}([-+]?(?:NaN|nan|NAN|Infinity|infinity|inf|Inf|INF))${end}`),
    write: () => "JSON has only finite numbers: write a number, or leave the key out for its default",
  },
  {
    pattern: /([A-Za-z_][\w.]*\([^)\n]{0,60}\)?)/,
    write: () => "an experiment has no functions: write the values, such as [0, 1, 2]",
  },
  { pattern: /(?<![\w.])(\([^)\n]{0,60}\)?)/, write: () => "write a list with brackets, [...]" },
  { pattern: /["\w]\s*(=>?)/, write: () => "write a colon between key and value" },
  {
    pattern: /(?<=[{,]\s*)([A-Za-z_$][\w$.-]*)(?=\s*[:=])/,
    write: (found) => `write keys in double quotes: "${found}"`,
  },
  {
    pattern: new RegExp(
      `${start}(?!(?:true|false|null|none|undefined|nil|nan|inf|infinity)\\b)([A-Za-z_][\\w./-]*)${end}`,
      "i",
    ),
    write: (found) => `write text in double quotes: "${found}"`,
  },
  { pattern: new RegExp(`${start}(\\+\\.?\\d[\\w.+-]*)${end}`), write: (found) => `write ${found.slice(1)}` },
  {
    pattern: new RegExp(`${start}(-?\\.\\d[\\w+-]*)${end}`),
    write: (found) => `write ${found.replace(".", "0.")}`,
  },
  { pattern: new RegExp(`${start}(-?\\d+\\.)${end}`), write: (found) => `write ${found}0` },
  {
    pattern: new RegExp(`${start}(-?\\d+(?:_\\d+)+)${end}`),
    write: (found) => `write ${found.replaceAll("_", "")}`,
  },
  {
    pattern: new RegExp(`${start}(0[xXbBoO][\\dA-Fa-f]+)${end}`),
    write: (found) => `write ${Number(found)}`,
  },
  { pattern: new RegExp(`${start}(-?0\\d+)${end}`), write: (found) => `write ${Number(found)}` },
  { pattern: /(;)/, write: () => "write a comma, or nothing at the end" },
];

function doubleQuoted(found: string): string {
  return JSON.stringify(found.slice(1, -1).replaceAll("\\'", "'"));
}

function shorten(found: string): string {
  return found.length > 40 ? `${found.slice(0, 36)}...${found.slice(-1)}` : found;
}
