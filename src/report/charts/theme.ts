import { escapeXml } from "../../base/escape-xml.ts";

/** A color on a light background and the one that replaces it on a dark background. */
type Pair = readonly [light: string, dark: string];

/** Every color of the charts. The light one names its role in the SVG, so no two pairs have the same. */
const pairs = {
  background: ["#ffffff", "#0d1117"],
  text: ["#1f2328", "#e6edf3"],
  muted: ["#57606a", "#9aa4af"],
  grid: ["#e4e7eb", "#272e38"],
  axis: ["#8c959f", "#6e7681"],
  band: ["#e9e3d3", "#3a3527"],
  interval: ["#9ecae1", "#2c6590"],
  mean: ["#0b3c6f", "#cfe6fb"],
  seed: ["#d14a00", "#ff9a57"],
  other: ["#a0a7ae", "#767f89"],
  leader: ["#c3c9cf", "#444c56"],
} as const satisfies Record<string, Pair>;

export const colors = mapValues(pairs, ([light]) => light);

/** One color per configuration, distinguishable for color-blind readers; each has a contrast of at least 3. */
const settingPairs: Pair[] = [
  ["#0072b2", "#4aa8e8"],
  ["#b86200", "#f0a53c"],
  ["#00805e", "#2fc79b"],
  ["#b34d87", "#e79bc6"],
  ["#d03a1a", "#ff7d5c"],
  ["#3a8fb7", "#a5dcf7"],
  ["#7d7100", "#d9cc55"],
  ["#4d5359", "#b4bcc4"],
];

export const settingColors = settingPairs.map(([light]) => light);

/** From far below to far above zero: orange, neutral, blue, each with the color of a number on it. */
const diverging: [fill: Pair, text: Pair][] = [
  [
    ["#b35806", "#f2a25e"],
    ["#fffffe", "#0b0e12"],
  ],
  [
    ["#e9963f", "#a65a14"],
    ["#14171a", "#fffffd"],
  ],
  [
    ["#fbc98c", "#7d481a"],
    ["#15181b", "#fffffc"],
  ],
  [
    ["#fde8cf", "#46301d"],
    ["#16191c", "#fffffb"],
  ],
  [
    ["#f4f5f6", "#1c2129"],
    ["#171a1d", "#e6edf2"],
  ],
  [
    ["#d9e9f5", "#1c3347"],
    ["#181b1e", "#fffffa"],
  ],
  [
    ["#a3cbe6", "#1f5078"],
    ["#191c1f", "#fffff9"],
  ],
  [
    ["#5ba1cf", "#2f79b0"],
    ["#1a1d20", "#fffff8"],
  ],
  [
    ["#1b62a5", "#7cc0f2"],
    ["#fffff7", "#0b0e13"],
  ],
];

/** The colors of a cell, for a value between -1 and 1. */
export function divergingColors(value: number): { fill: string; text: string } {
  const middle = (diverging.length - 1) / 2;
  const clamped = Math.max(-1, Math.min(1, value));
  const step = Math.sign(clamped) * Math.ceil(Math.abs(clamped) * middle - 1e-9); // Only 0 is neutral.
  const [[fill], [text]] = diverging[middle + step] as (typeof diverging)[number];
  return { fill, text };
}

/** Parts of a stacked bar from dark to light, each with the color of a number on it. */
const partPairs: [fill: Pair, text: Pair][] = [
  [
    ["#0b3c6e", "#8cc4f2"],
    ["#fffff6", "#0b0e14"],
  ],
  [
    ["#9ecae2", "#2f6a97"],
    ["#1b1e21", "#fffff5"],
  ],
  [
    ["#fdfdfd", "#161b22"],
    ["#1c1f22", "#fffff4"],
  ],
];

export const partColors = partPairs.map(([[fill], [text]]) => ({ fill, text }));

/** Classes of answers: neighbors in a bar differ in lightness. */
const classPairs: [fill: Pair, text: Pair][] = [
  [
    ["#0b3c6d", "#8cc4f3"],
    ["#fffff3", "#0b0e15"],
  ],
  [
    ["#c9e0f2", "#2a5f8a"],
    ["#1d2023", "#fffff2"],
  ],
  [
    ["#e08f00", "#f0b04c"],
    ["#1e2124", "#0b0e16"],
  ],
  [
    ["#a63d00", "#a3400d"],
    ["#fffff1", "#fffff0"],
  ],
  [
    ["#dcdfe2", "#3a4149"],
    ["#202326", "#ffffef"],
  ],
  [
    ["#555b61", "#b3bbc4"],
    ["#ffffee", "#0b0e17"],
  ],
  [
    ["#fcfcfc", "#161b23"],
    ["#212427", "#ffffed"],
  ],
];

export const classColors = classPairs.map(([[fill], [text]]) => ({ fill, text }));

/**
 * The SVG with a style that recolors it for readers who prefer dark pages.
 *
 * @param scope the style's class, which no other chart on the same page has.
 * @param alt what the chart shows, for screen readers.
 */
export function withTheme(svg: string, scope: string, alt: string): string {
  const all = [
    ...Object.values(pairs),
    ...settingPairs,
    ...diverging.flat(),
    ...partPairs.flat(),
    ...classPairs.flat(),
  ];
  const rules = all.flatMap(([light, dark]) =>
    ["fill", "stroke"]
      .filter((property) => svg.includes(` ${property}="${light}"`))
      .map((property) => `.${scope} [${property}="${light}"]{${property}:${dark}}`),
  );
  const style = `<style>@media screen and (prefers-color-scheme:dark){${rules.join("")}}</style>`;
  const root = `<svg class="${scope}" role="img" aria-label="${escapeXml(alt)}"`;
  return svg.replace(
    /^<svg([^>]*?) class="marks"([^>]*)>/,
    (_, before, after) => `${root}${before}${after}>${style}`,
  );
}

function mapValues<K extends string, V, W>(record: Record<K, V>, change: (value: V) => W): Record<K, W> {
  return Object.fromEntries(Object.entries<V>(record).map(([key, value]) => [key, change(value)])) as Record<
    K,
    W
  >;
}
