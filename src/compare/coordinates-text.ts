import { didYouMean } from "../base/did-you-mean.ts";
import { splitOnce } from "../base/format.ts";
import type { BoxFrame, Coordinates } from "../contract/generated/types.ts";

/** The coordinates that a text means, or what is wrong with it. */
export type ParsedCoordinates = { coordinates: Coordinates } | { problem: string };

/** Parses `xyxy`, `xywh_norm`, `xyxy_1000`, pixels of a resized image, such as `xyxy@640x480`, or coordinates of a padded one. */
export function parseCoordinates(text: string): ParsedCoordinates {
  const [name = "", frameText] = splitOnce(text.trim(), "@");
  const box_format = formats.find((format) => format === name.toLowerCase());
  if (box_format === undefined)
    return {
      problem: `expected ${examples}; found ${JSON.stringify(text)}.${didYouMean(name, formats)}`,
    };
  if (frameText === undefined) return { coordinates: { box_format, frame: { kind: "original" } } };
  const frame = parseFrame(frameText.toLowerCase());
  if (box_format.includes("_") && frame?.kind !== "padded")
    return {
      problem: `expected no image size after ${box_format}, which has no pixels, found ${JSON.stringify(frameText)}; write ${box_format}, or ${box_format.replace(/_.*/, "")}@${frameText} for pixels`,
    };
  if (frame === undefined)
    return {
      problem: `expected a resized image after @: ${frames}; found ${JSON.stringify(frameText)}`,
    };
  return { coordinates: { box_format, frame } };
}

const formats = [
  "xyxy",
  "xyxy_norm",
  "xyxy_1000",
  "xywh",
  "xywh_norm",
  "xywh_1000",
  "cxcywh",
  "cxcywh_norm",
  "cxcywh_1000",
] as const satisfies readonly Coordinates["box_format"][];

const frames =
  "640x480 (width and height), long:1024 (longer side), short:800:1333 (shorter side, and the most of the longer one), smart:28:3136:12845056 (Qwen-VL: factor, min_pixels, max_pixels), columns (width and height of each row), or padded:640 (a square into which the image is padded, also with _norm and _1000; padded if its side is that of the image; padded:640:top_left if the padding is to the right and below)";

const examples = `${formats.join(", ")}, or pixels of a resized image: xyxy@${frames}`;

function parseFrame(text: string): BoxFrame | undefined {
  if (text === "columns") return { kind: "columns" };
  const size = /^(\d{1,7})x(\d{1,7})$/.exec(text);
  if (size !== null) return checked({ kind: "fixed", width: Number(size[1]), height: Number(size[2]) });
  const [name, ...values] = text.split(":");
  if (name === "padded") return parsePadded(values);
  if (!values.every((value) => /^\d{1,12}$/.test(value))) return undefined;
  const [a = 0, b = 0, c = 0] = values.map(Number);
  if (name === "long" && values.length === 1) return checked({ kind: "long_side", length: a });
  if (name === "short" && values.length === 1)
    return checked({ kind: "short_side", length: a, max_length: null });
  if (name === "short" && values.length === 2)
    return b < a ? undefined : checked({ kind: "short_side", length: a, max_length: b });
  if (name === "smart" && values.length === 3 && b <= c)
    return checked({ kind: "smart_resize", factor: a, min_pixels: b, max_pixels: c });
  return undefined;
}

function parsePadded(values: string[]): BoxFrame | undefined {
  const aligned = values.at(-1) === "center" || values.at(-1) === "top_left" ? values.at(-1) : undefined;
  const lengths = aligned === undefined ? values : values.slice(0, -1);
  const align = aligned === "top_left" ? "top_left" : "center";
  const [length] = lengths;
  if (lengths.length === 0) return { kind: "padded", length: null, align };
  if (lengths.length > 1 || length === undefined || !/^\d{1,7}$/.test(length)) return undefined;
  return checked({ kind: "padded", length: Number(length), align });
}

/** Undefined if a number is zero, or a side above a million pixels. */
function checked(frame: BoxFrame): BoxFrame | undefined {
  const { max_pixels, ...sides } = { max_pixels: 1, ...frame };
  const isValid = Object.values(sides).every(
    (side) => typeof side !== "number" || (side >= 1 && side <= 1_000_000),
  );
  return isValid && max_pixels >= 1 ? frame : undefined;
}
