/**
 * A value as JSON for a `<script type="application/json">`: no text in it can end the element or start a comment, and
 * it is valid JavaScript, too.
 */
export function embedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
