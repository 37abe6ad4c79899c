/**
 * Text in which nothing can move the cursor, change colors, reverse the direction of other text, or break a file: control
 * characters are shown as symbols ("␛"), bidirectional controls and what is no character by their numbers ("[U+202E]"). Line breaks
 * and tabs stay.
 */
export function visibleText(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(control, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "␡" : codePoint(code);
  });
}

/** The same in one line: a space stands for line breaks and tabs. */
export function oneLine(text: string): string {
  return visibleText(text).replace(/[\n\t]+/g, " ");
}

/** The same in at most `most` characters; a longer text loses its middle, as labels of one sweep often start the same. */
export function shortLine(text: string, most: number): string {
  const letters = Array.from(oneLine(text));
  if (letters.length <= most) return letters.join("");
  const half = Math.floor(most / 2);
  return `${letters.slice(0, half).join("")} … ${letters.slice(-half).join("")}`;
}

/** "U+202E" in brackets. */
export function codePoint(code: number): string {
  return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

/** C0 and C1 controls, bidirectional controls, lone surrogates, tags, and code points that are no characters. */
const control =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;
