/** In place of string-width in the bundle: yargs lays out our own help with it, which is ASCII. */
export default function asciiWidth(text) {
  return text.length;
}
