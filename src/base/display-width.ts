import { eastAsianWidth } from "get-east-asian-width";

/** Columns that a text of one line takes on a terminal: letters of East Asian scripts and emoji take two. */
export function displayWidth(text: string): number {
  return isAscii(text) ? text.length : sum(graphemes(text).map(graphemeWidth));
}

/** A text of at most `columns` columns: a longer one loses its end. */
export function cutEnd(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  return columns < 1 ? "" : `${start(graphemes(text), columns - 1).trimEnd()}…`;
}

/** The same, but a longer text loses its middle: labels of one sweep often start the same. */
export function cutMiddle(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 3) return cutEnd(text, columns);
  const letters = graphemes(text);
  const head = start(letters, Math.ceil((columns - 1) / 2));
  const tail = start(letters.toReversed(), columns - 1 - displayWidth(head), (each) => each.toReversed());
  return `${head}…${tail}`;
}

/** Lines of at most `columns` columns; a wider word is split. */
export function wrapColumns(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).flatMap((each) => splitWord(each, columns))) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(`${last} ${word}`) <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function splitWord(word: string, columns: number): string[] {
  if (displayWidth(word) <= columns) return [word];
  const head = start(graphemes(word), columns);
  return head === "" ? [word] : [head, ...splitWord(word.slice(head.length), columns)];
}

/** A text with spaces after it, or before it, up to a width. */
export function padded(text: string, columns: number, align: "left" | "right" = "left"): string {
  const spaces = " ".repeat(Math.max(0, columns - displayWidth(text)));
  return align === "left" ? text + spaces : spaces + text;
}

/** The first graphemes that fit. */
function start(
  letters: readonly string[],
  columns: number,
  order: (letters: string[]) => string[] = (each) => each,
): string {
  let width = 0;
  const taken: string[] = [];
  for (const letter of letters) {
    width += graphemeWidth(letter);
    if (width > columns) break;
    taken.push(letter);
  }
  return order(taken).join("");
}

function graphemeWidth(grapheme: string): number {
  if (/^[\p{Mark}\p{Default_Ignorable_Code_Point}]/u.test(grapheme)) return 0;
  if (/\p{Emoji_Presentation}|\ufe0f/u.test(grapheme)) return 2;
  return eastAsianWidth(grapheme.codePointAt(0) ?? 0);
}

let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for one letter: with its accents, or an emoji of several parts. */
function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter("en");
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
