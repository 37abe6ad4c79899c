import type { Element, ElementContent, Properties, Root } from "hast";
import type { RootContent } from "mdast";
import { toHast } from "mdast-util-to-hast";
import { visibleText } from "../../base/plain-text.ts";

/**
 * The report's blocks as HTML: sections have ids, tables can scroll, and an image is what `embedded` has for its file.
 * Texts stay texts: the library escapes them, and raw HTML is dropped.
 *
 * @param prefix of the ids of the sections.
 * @param embedded data URIs by the file's path in the blocks.
 */
export function blocksToHtml(
  blocks: RootContent[],
  prefix: string,
  embedded: Map<string, string>,
): ElementContent[] {
  const root = toHast({ type: "root", children: blocks }) as Root;
  const content = root.children.filter((node): node is ElementContent => node.type !== "doctype");
  const prepared = content.map((node) => prepare(node, embedded));
  for (const [index, node] of elements(prepared).filter(isSection).entries())
    node.properties = { ...node.properties, id: `${prefix}-${index + 1}` };
  return prepared.map((node) =>
    node.type === "element" && node.tagName === "table" ? scrolling(node) : node,
  );
}

/** The headings of the second level, for the list of contents. */
export function sectionsOf(content: ElementContent[]): { id: string; title: string }[] {
  return elements(content)
    .filter(({ properties }) => properties.id !== undefined)
    .filter(isSection)
    .map((node) => ({ id: String(node.properties.id), title: textOf(node) }));
}

export function element(
  tagName: string,
  properties: Properties,
  ...children: (ElementContent | string)[]
): Element {
  return {
    type: "element",
    tagName,
    properties,
    children: children.map((child) =>
      typeof child === "string" ? { type: "text", value: visibleText(child) } : child,
    ),
  };
}

function prepare(node: ElementContent, embedded: Map<string, string>): ElementContent {
  // A line does not end before a percent sign.
  if (node.type === "text")
    return { ...node, value: visibleText(node.value).replace(/(\d) %/g, "$1\u00a0%") };
  if (node.type !== "element") return node;
  const children = node.children.map((child) => prepare(child, embedded));
  return { ...node, properties: propertiesOf(node, embedded), children };
}

function propertiesOf({ tagName, properties }: Element, embedded: Map<string, string>): Properties {
  if (tagName === "img") {
    const src = embedded.get(decodeURI(String(properties.src)));
    return { src: src ?? "", alt: visibleText(String(properties.alt ?? "")) };
  }
  if (tagName === "a") return safeHref.test(String(properties.href)) ? properties : {};
  // A label from right to left must not reorder its row.
  if (tagName === "td" || tagName === "p" || tagName === "li") return { ...properties, dir: "auto" };
  return tagName === "th" ? { ...properties, dir: "auto", scope: "col" } : properties;
}

/** A page on the web, or a file next to the report. */
const safeHref = /^(https?:\/\/|#|[\w./-]+$)/;

function scrolling(table: Element): Element {
  return element("div", { className: ["scroll"] }, table);
}

function isSection(node: Element): boolean {
  return node.tagName === "h2";
}

function elements(content: ElementContent[]): Element[] {
  return content.filter((node): node is Element => node.type === "element");
}

function textOf(node: ElementContent): string {
  if (node.type === "text") return node.value;
  return node.type === "element" ? node.children.map(textOf).join("") : "";
}
