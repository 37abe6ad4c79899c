/** An image's name as annotations give it, in the forms that a file may have. */
export interface WrittenName {
  text: string;
  /** Folders and file name, without `.` and `..`; an URL's host comes first. */
  parts: string[];
  /** Other readings of the same name: percent-decoded, or the path in a query (`?d=...`). */
  others: string[][];
  is_url: boolean;
}

/** More folders than any image of a dataset lies in. */
const MAX_PARTS = 64;

/** Splits a name into its parts. Any text is accepted: nothing is opened by the name itself. */
export function parseName(text: string): WrittenName {
  const is_url = /^[a-z][a-z0-9+.-]{1,15}:\/\//i.test(text);
  const forms = [text, ...queryPaths(text)].flatMap((form) => [form, ...decoded(form)]);
  const [parts = [], ...others] = unique(forms.map(partsOf)).filter(({ length }) => length > 0);
  return { text, parts, others, is_url };
}

/** Label Studio's `/data/local-files/?d=photos/a.jpg`, and an address with a query after the name. */
function queryPaths(text: string): string[] {
  const [before = "", query] = text.split(/\?(.*)/s);
  if (query === undefined) return [];
  const path = /(?:^|&)d=([^&]+)/.exec(query)?.[1];
  return path === undefined ? [before] : [path, before];
}

function decoded(text: string): string[] {
  if (!/%[0-9a-f]{2}/i.test(text)) return [];
  try {
    return [decodeURIComponent(text)];
  } catch {
    return []; // A percent sign that encodes nothing.
  }
}

/** `..` goes up where there is a folder to leave, and is dropped where it leads out. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  const path = text.replace(/^[a-z][a-z0-9+.-]{0,15}:(?=[/\\])/i, "");
  for (const part of path.split(/[/\\]+/)) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.slice(-MAX_PARTS);
}

function unique(lists: string[][]): string[][] {
  return [...new Map(lists.map((list) => [list.join("/"), list])).values()];
}

/** True if a name is a path below a folder that can be opened as it is. */
export function isInside(name: string): boolean {
  return !(
    name.includes("\0") ||
    /^([/\\]|[A-Za-z]:)/.test(name) ||
    name.split(/[/\\]/).includes("..") ||
    /[/\\]$/.test(name)
  );
}

/** Equal for names that differ only in case or in how accents are encoded, as macOS and Windows treat them. */
export function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Endings of image files, also of formats that have to be converted first. */
const ending = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif|bmp|heic|heif|jp2|j2k|jpx|jxl)$/;

/** A folded base name without the ending of an image, and the ending; `""` if it has none. */
export function splitEnding(folded: string): { stem: string; ending: string } {
  const found = ending.exec(folded)?.[1] ?? "";
  return {
    stem: found === "" ? folded : folded.slice(0, -found.length - 1),
    ending: found.replace("jpeg", "jpg").replace("tiff", "tif"),
  };
}

/**
 * COCO's number of an image, from its name of 2014 (`COCO_train2014_000000000009.jpg`, also with RefCOCO's
 * `_<ann_id>` at its end) or of 2017 (`000000000009.jpg`); both releases have the same images under a number.
 */
export function cocoNumber(folded: string): number | undefined {
  const { stem } = splitEnding(folded);
  const digits = /^(?:coco_[a-z]+20\d\d_)(\d{12})(?:_\d+)?$/.exec(stem)?.[1] ?? /^\d{12}$/.exec(stem)?.[0];
  return digits === undefined ? undefined : Number(digits);
}

/** The image's own name where RefCOCO's refs add the object's id: `COCO_train2014_000000000009_123.jpg`. */
export function withoutAnnId(base: string): string | undefined {
  const [, name, extension] = /^(COCO_[a-z]+20\d\d_\d{12})_\d+(\.\w+)?$/i.exec(base) ?? [];
  return name === undefined ? undefined : `${name}${extension ?? ".jpg"}`;
}
