import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { colors, type Kind } from "./kinds.ts";
import { Random } from "./random.ts";
import type { Scene, SceneObject } from "./scene.ts";

/** The scene as an SVG with its size in pixels. */
export function sceneSvg(scene: Scene): string {
  const { width, height } = scene;
  const objects = scene.objects.map((object, index) => objectSvg(object, index)).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${backgroundSvg(scene)}${objects}</svg>`;
}

/** The SVG path of a kind in its 24 x 24 square. */
function kindPath({ name, shape }: Kind): string {
  if ("path" in shape) return shape.path;
  const cached = iconPaths.get(shape.icon);
  if (cached !== undefined) return cached;
  const svg = readFileSync(join(iconFolder, `${shape.icon}.svg`), "utf8");
  const path = /<path d="([^"]+)"/.exec(svg)?.[1];
  if (path === undefined) throw new Error(`${shape.icon}.svg: expected a path for ${name}, found none`);
  iconPaths.set(shape.icon, path);
  return path;
}

const iconFolder = join(dirname(createRequire(import.meta.url).resolve("@mdi/svg/package.json")), "svg");
const iconPaths = new Map<string, string>();

function objectSvg({ kind, color, mark, box_xyxy: [x1, y1, x2, y2] }: SceneObject, index: number): string {
  const [left, top, right, bottom] = kind.box;
  const scaleX = (x2 - x1) / (right - left);
  const scaleY = (y2 - y1) / (bottom - top);
  const transform = `translate(${x1 - left * scaleX} ${y1 - top * scaleY}) scale(${scaleX} ${scaleY})`;
  const path = kindPath(kind);
  const light = color === "white" || color === "yellow";
  // The outline is drawn inside the shape, so that the box stays tight.
  const clip = `<clipPath id="c${index}"><path d="${path}"/></clipPath>`;
  const outline = `<path d="${path}" fill="none" stroke="${light ? "#555" : "#fff"}" stroke-opacity="0.7" stroke-width="0.8" clip-path="url(#c${index})"/>`;
  return `<g transform="${transform}">${clip}<path d="${path}" fill="${colors[color]}"/>${outline}${markSvg(mark, light, index)}</g>`;
}

function markSvg(mark: SceneObject["mark"], light: boolean, index: number): string {
  const [ink, edge] = light ? ["#222", "#fff"] : ["#fff", "#222"];
  if (mark === "dot")
    return `<circle cx="12" cy="12" r="3.2" fill="${ink}" stroke="${edge}" stroke-width="0.7"/>`;
  if (mark === "stripe") {
    return `<g clip-path="url(#c${index})"><rect x="0" y="10" width="24" height="4" fill="${ink}" stroke="${edge}" stroke-width="0.5"/></g>`;
  }
  return "";
}

function backgroundSvg({ width, height, background }: Scene): string {
  const random = new Random(background.seed, 7);
  const gradient = `<linearGradient id="b" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${background.top}"/><stop offset="1" stop-color="${background.bottom}"/></linearGradient>`;
  const repeat = (count: number, draw: () => string): string => Array.from({ length: count }, draw).join("");
  const x = (): number => random.integer(0, width);
  const y = (): number => random.integer(0, height);
  const texture = {
    plain: () => "",
    lines: () =>
      repeat(
        14,
        () =>
          `<path d="M${x()},${y()}L${x()},${y()}" stroke="${background.ink}" stroke-width="1.5" stroke-opacity="0.5"/>`,
      ),
    dots: () =>
      repeat(
        60,
        () =>
          `<circle cx="${x()}" cy="${y()}" r="${random.integer(1, 3)}" fill="${background.ink}" fill-opacity="0.5"/>`,
      ),
    blobs: () =>
      repeat(
        7,
        () =>
          `<ellipse cx="${x()}" cy="${y()}" rx="${random.integer(20, 70)}" ry="${random.integer(15, 50)}" fill="${background.ink}" fill-opacity="0.25"/>`,
      ),
  }[background.texture]();
  return `${gradient}<rect width="${width}" height="${height}" fill="url(#b)"/>${texture}`;
}
