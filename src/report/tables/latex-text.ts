import { codePoint, oneLine } from "../../base/plain-text.ts";

/**
 * Text for LaTeX, which prints it as it is and runs none of it. pdfLaTeX knows few characters: accents become commands, common
 * symbols are replaced, and any other character becomes its code point, "[U+4E2D]".
 */
export function latexText(text: string): string {
  return [...oneLine(text).normalize("NFC")].map(latexCharacter).join("").replace(/--+/g, separateHyphens);
}

function latexCharacter(character: string): string {
  const known = replacements.get(character);
  if (known !== undefined) return known;
  if (/^[ -~]$/.test(character)) return character;
  return accented(character) ?? escapeBrackets(codePoint(character.codePointAt(0) ?? 0));
}

/** Two hyphens would become a dash. */
function separateHyphens(hyphens: string): string {
  return hyphens.split("").join("{}");
}

/** A bracket after a row's end, `\\`, would be its argument. */
function escapeBrackets(text: string): string {
  return text.replace("[", "{[}").replace("]", "{]}");
}

/** A Latin letter with one accent, as a command: é is \'{e}. */
function accented(character: string): string | undefined {
  const [letter = "", mark = "", ...more] = character.normalize("NFD");
  const command = accents.get(mark);
  if (command === undefined || more.length > 0 || !/^[A-Za-z]$/.test(letter)) return undefined;
  const dotless = /^[ij]$/.test(letter) && !belowLetter.has(mark) ? `\\${letter}` : letter;
  return `\\${command}{${dotless}}`;
}

const accents = new Map([
  ["\u0300", "`"],
  ["\u0301", "'"],
  ["\u0302", "^"],
  ["\u0303", "~"],
  ["\u0304", "="],
  ["\u0306", "u"],
  ["\u0307", "."],
  ["\u0308", '"'],
  ["\u030a", "r"],
  ["\u030b", "H"],
  ["\u030c", "v"],
  ["\u0327", "c"],
]);
const belowLetter = new Set(["\u0327"]);

const replacements = new Map([
  // Characters that LaTeX reads as commands.
  ["\\", "\\textbackslash{}"],
  ["{", "\\{"],
  ["}", "\\}"],
  ["%", "\\%"],
  ["$", "\\$"],
  ["#", "\\#"],
  ["_", "\\_"],
  ["&", "\\&"],
  ["^", "\\textasciicircum{}"],
  ["~", "\\textasciitilde{}"],
  // Those that a row or a font reads otherwise.
  ["[", "{[}"],
  ["]", "{]}"],
  ["*", "{*}"],
  ["<", "\\textless{}"],
  [">", "\\textgreater{}"],
  ["|", "\\textbar{}"],
  ['"', "\\char34{}"],
  ["`", "\\`{}"],
  ["'", "{'}"],
  // Symbols.
  ["\u00a0", "~"],
  ["–", "--"],
  ["—", "---"],
  ["−", "$-$"],
  ["‘", "{`}"],
  ["’", "{'}"],
  ["“", "{``}"],
  ["”", "{''}"],
  ["…", "\\ldots{}"],
  ["±", "$\\pm$"],
  ["×", "$\\times$"],
  ["·", "$\\cdot$"],
  ["≤", "$\\le$"],
  ["≥", "$\\ge$"],
  ["→", "$\\to$"],
  ["°", "$^\\circ$"],
  ["µ", "$\\mu$"],
  ["ß", "\\ss{}"],
  ["æ", "\\ae{}"],
  ["Æ", "\\AE{}"],
  ["œ", "\\oe{}"],
  ["Œ", "\\OE{}"],
  ["ø", "\\o{}"],
  ["Ø", "\\O{}"],
  ["ł", "\\l{}"],
  ["Ł", "\\L{}"],
  ["¡", "{!`}"],
  ["¿", "{?`}"],
]);
