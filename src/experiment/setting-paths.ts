/** `["rpn", "nms_thresh"]`, and its like: every key of the settings that was written. */
export function settingPaths(settings: object): string[][] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
    const inner = isGroup ? Object.keys(value).map((name) => [key, name]) : [];
    return isGroup && key !== "fusion" ? inner : [[key], ...inner];
  });
}
