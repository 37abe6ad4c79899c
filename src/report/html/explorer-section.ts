import type { ElementContent } from "hast";
import { count } from "../../base/format.ts";
import { oneLine } from "../../base/plain-text.ts";
import type { Explorer, Split } from "../../contract/generated/types.ts";
import { shownExplorer } from "../shown-input.ts";
import type { RowNoun } from "../wording.ts";
import { element } from "./blocks-to-html.ts";
import { embedJson } from "./embed-json.ts";
import { ids, type PageData } from "./page-data.ts";
import { rankImages, selectRows } from "./select-rows.ts";
import { makeThumbnails } from "./thumbnails.ts";

/** The part of the page that shows single expressions, and its data as JSON. */
export interface ExplorerPart {
  content: ElementContent[];
  json: string;
}

/**
 * The expressions and images that fit into the page, and a note on what is left out.
 *
 * @param maxBytes of the JSON.
 * @param isDemo whether the images are those of the demo, which cliprpn draws.
 * @param noun what a row is called.
 */
export async function explorerPart(
  explorer: Explorer,
  maxBytes: number,
  isDemo: boolean,
  noun: RowNoun,
): Promise<ExplorerPart> {
  const selected = selectRows(shownExplorer(explorer), rankImages(explorer), maxBytes * dataShare);
  const { schema_version: _, images_dir, images, ...columns } = selected;
  const data: PageData = { ...columns, noun, images: { ...images, thumbnail: images.file.map(() => null) } };
  const left = maxBytes - Buffer.byteLength(embedJson(data));
  const { uris, numUnreadable } =
    images_dir === null || isTest(explorer.split)
      ? { uris: data.images.thumbnail, numUnreadable: 0 }
      : await makeThumbnails(images_dir, images, rankImages(selected), left);
  data.images = { ...images, file: images.file.map(oneLine), thumbnail: uris };
  const notes = [
    describeShown(explorer, data),
    ...leftOut(explorer, data, numUnreadable),
    ...(isDemo || images_dir === null ? [] : [owners]),
  ];
  return {
    content: [
      element("h2", { id: sectionId }, "Expressions one by one"),
      ...notes.map((note) => element("p", {}, note)),
      element(
        "section",
        { id: ids.explorer, ariaLabelledBy: [sectionId] },
        element("noscript", {}, element("p", {}, "This part needs JavaScript.")),
      ),
    ],
    json: embedJson(data),
  };
}

/** Share of the bytes that expressions and predictions may take; the rest is for images. */
const dataShare = 0.5;

const sectionId = "expressions";

const owners =
  "The images belong to their owners: publish this file, or parts of it, only if you have the right to publish every image in it.";

function describeShown({ num_settings }: Explorer, { settings, noun }: PageData): string {
  const which =
    settings.length === num_settings
      ? `all ${noun}s`
      : `${count(settings.length)} of ${count(num_settings)} ${noun}s`;
  const seeded = settings.some(({ seed }) => seed !== null);
  return `Predictions of ${which}${seeded ? `, with the first ${noun === "model" ? "run" : "seed"} of each` : ""}. An answer is right if its IoU is at least 0.5.`;
}

/** What the file does not contain. */
function leftOut(explorer: Explorer, data: PageData, numUnreadable: number): string[] {
  const numAll = explorer.expressions.sentence.length;
  const numShown = data.expressions.sentence.length;
  const expressions =
    numShown === numAll
      ? []
      : [`To keep the file small, it has ${count(numShown)} of the ${count(numAll)} expressions.`];
  return [...expressions, ...imagesLeftOut(explorer, data, numUnreadable)];
}

function imagesLeftOut(
  { images_dir, images, split }: Explorer,
  data: PageData,
  numUnreadable: number,
): string[] {
  if (images_dir === null) return ["The dataset has no images."];
  // Looking at images of a test split to improve a model would be training on it.
  if (isTest(split))
    return [`Images of ${split} are left out: a model that is improved on them is no longer tested by them.`];
  const numAll = images.file.length;
  const numShown = data.images.thumbnail.filter((uri) => uri !== null).length;
  return [
    ...(numShown + numUnreadable < numAll
      ? [
          `To keep the file small, it has ${count(numShown)} of the ${count(numAll)} images: first those where ${data.noun}s differ, then others, both in a fixed random order.`,
        ]
      : []),
    ...(numUnreadable > 0 ? [`${count(numUnreadable)} of the images cannot be read.`] : []),
  ];
}

function isTest(split: Split): boolean {
  return split !== "train" && split !== "val";
}
