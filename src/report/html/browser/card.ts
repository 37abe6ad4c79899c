import { type PageData, thumbnailSize } from "../page-data.ts";
import { type BoxStyle, drawBoxes, imageSize, styleOf, swatch, truthStyle } from "./boxes.ts";
import { button, element } from "./dom.ts";
import type { Filter } from "./filters.ts";

/** One expression: its image with the boxes, and the answers as text. */
export function card(data: PageData, filter: Filter, shown: number[], row: number): HTMLElement {
  const sentence = data.expressions.sentence[row] ?? "";
  const answers = shown.map((setting) => ({ setting, style: styleOf(setting, filter.a, filter.b) }));
  return element(
    "li",
    { class: "card" },
    element(
      "figure",
      {},
      imageWithBoxes(data, row, answers),
      element(
        "figcaption",
        {},
        expression(sentence),
        element("p", { class: "facts" }, ...facts(data, row)),
        element(
          "ul",
          { class: "answers" },
          answerLine(truthStyle, "ground truth", data.expressions.category[row] ?? ""),
          ...answers.map(({ setting, style }) => {
            const { label, iou } = data.settings[setting] ?? { label: "", iou: [] };
            const result = `${className(data, setting, row)}, IoU ${(iou[row] ?? 0).toFixed(2)}`;
            return answerLine(style, label, result);
          }),
        ),
      ),
    ),
  );
}

/** The name of an error class for readers. */
export function spaced(name: string): string {
  return name.replaceAll("_", " ");
}

function className({ settings, error_classes }: PageData, setting: number, row: number): string {
  return spaced(error_classes[settings[setting]?.error_class[row] ?? 0] ?? "");
}

function imageWithBoxes(
  data: PageData,
  row: number,
  answers: { setting: number; style: BoxStyle }[],
): HTMLElement {
  const image = data.expressions.image[row] ?? 0;
  const { width, height } = imageSize(data, row);
  const zoom = Math.min(1, thumbnailSize / Math.max(width, height));
  const size = { width: Math.round(width * zoom), height: Math.round(height * zoom) };
  const source = data.images.thumbnail[image];
  const boxes = drawBoxes(data, row, [
    ...answers
      .toReversed()
      .map(({ setting, style }): [number[], BoxStyle] => [
        data.settings[setting]?.pred_box_xyxy ?? [],
        style,
      ]),
    [data.expressions.gt_box_xyxy, truthStyle],
  ]);
  boxes.setAttribute("width", String(size.width));
  boxes.setAttribute("height", String(size.height));
  return element(
    "div",
    { class: source === null ? "image missing" : "image" },
    ...(typeof source === "string"
      ? [element("img", { src: source, alt: altText(data, row), ...size, decoding: "async" })]
      : [element("p", {}, "The image is left out.")]),
    boxes,
  );
}

/** What the image shows; the answers follow it as text. */
function altText({ images, expressions }: PageData, row: number): string {
  const file = images.file[expressions.image[row] ?? 0] ?? "";
  const { width, height } = imageSize({ images, expressions } as PageData, row);
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = expressions.gt_box_xyxy.slice(4 * row, 4 * row + 4);
  const across = third((x1 + x2) / 2 / width, ["left", "center", "right"]);
  const down = third((y1 + y2) / 2 / height, ["top", "middle", "bottom"]);
  const target = expressions.category[row] || "object";
  return `Image ${file}: the ${target} that the expression refers to is at the ${down} ${across}`;
}

function third<T>(fraction: number, [low, middle, high]: [T, T, T]): T {
  return fraction < 1 / 3 ? low : fraction < 2 / 3 ? middle : high;
}

function expression(sentence: string): HTMLElement {
  const text = element("p", { class: "sentence", dir: "auto" }, sentence);
  if (sentence.length <= clippedLength) return text;
  const numWords = sentence.split(/\s+/).length;
  const words = `${numWords.toLocaleString("en-US")} words`;
  text.classList.add("clipped");
  const toggle = button(`Show all ${words}`, () => {
    const isClipped = text.classList.toggle("clipped");
    toggle.setAttribute("aria-expanded", String(!isClipped));
    toggle.textContent = isClipped ? `Show all ${words}` : "Show less";
  });
  toggle.setAttribute("aria-expanded", "false");
  toggle.className = "link";
  return element("div", {}, text, toggle);
}

const clippedLength = 240;

function facts({ subsets, expressions, images }: PageData, row: number): (Node | string)[] {
  const stratum = subsets.find(({ by }) => by === "stratum");
  const group = stratum?.groups[stratum.group[row] ?? -1];
  const file = images.file[expressions.image[row] ?? 0] ?? "";
  return [
    ...(group === undefined ? [] : [element("bdi", {}, spaced(group)), ", "]),
    element("bdi", {}, file),
  ];
}

function answerLine(style: BoxStyle, label: string, result: string): HTMLElement {
  return element(
    "li",
    {},
    swatch(style),
    element("span", { class: "visually-hidden" }, `${style.letter}: `),
    element("bdi", { class: "answer-label" }, label),
    element("bdi", { class: "answer-result" }, result),
  );
}
