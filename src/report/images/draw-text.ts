/** Text for SVG, without characters that XML forbids or that change the direction of other text. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return withoutControls(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** An untrusted text for the description of an image: on one line; a long one ends in an ellipsis. */
export function oneLine(text: string, maxLength = 200): string {
  const start = text.slice(0, 4 * maxLength);
  const characters = [...withoutControls(start).replace(/\s+/g, " ").trim()];
  if (characters.length <= maxLength && start.length === text.length) return characters.join("");
  return `${characters.slice(0, maxLength).join("")} …`;
}

function withoutControls(text: string): string {
  // Tabs and line breaks are white space; U+202A to U+202E and U+2066 to U+2069 override or embed a direction.
  return text.replace(/[^\P{Cc}\t\n\r]|[\p{Cs}\uFFFE\uFFFF\u202A-\u202E\u2066-\u2069]/gu, "");
}
