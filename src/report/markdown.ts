import type { Nodes, PhrasingContent, Root, RootContent } from "mdast";
import { gfmTableToMarkdown } from "mdast-util-gfm-table";
import { toMarkdown, type Unsafe } from "mdast-util-to-markdown";
import { count } from "../base/format.ts";

/** Content of a paragraph or a table cell: text is escaped, nodes are used unchanged. */
export type Inline = string | PhrasingContent | (string | PhrasingContent)[];

/** Markdown text of the blocks; the library escapes special characters such as pipes and angle brackets. */
export function render(blocks: RootContent[]): string {
  const root: Root = { type: "root", children: blocks };
  return toMarkdown(root as Nodes, {
    bullet: "-",
    rule: "-",
    extensions: [gfmTableToMarkdown({ tablePipeAlign: false }), { unsafe: ofGitHub }],
  });
}

/** Characters that GitHub reads as markup: strikethrough and formulas. */
const ofGitHub: Unsafe[] = ["~", "$"].map((character) => ({ character, inConstruct: "phrasing" }));

export function heading(depth: 1 | 2 | 3, text: string): RootContent {
  return { type: "heading", depth, children: inline(text) };
}

export function paragraph(content: Inline): RootContent {
  return { type: "paragraph", children: inline(content) };
}

export function bullets(items: Inline[]): RootContent {
  return {
    type: "list",
    ordered: false,
    spread: false,
    children: items.map((item) => ({
      type: "listItem",
      spread: false,
      children: [{ type: "paragraph", children: inline(item) }],
    })),
  };
}

/** The first `textColumns` columns are aligned left, the others (numbers) right. */
export function table(head: string[], rows: Inline[][], textColumns = 1): RootContent {
  return {
    type: "table",
    align: head.map((_, index) => (index < textColumns ? "left" : "right")),
    children: [head, ...rows].map((row) => ({
      type: "tableRow",
      children: row.map((cell) => ({ type: "tableCell", children: inline(cell) })),
    })),
  };
}

/** A table of at most `maxRows` rows, and a line that says how many others there are, and where. */
export function longTable(
  head: string[],
  rows: Inline[][],
  textColumns = 1,
  where = ", in the JSON file beside this report",
): RootContent[] {
  const num_left = rows.length - maxRows;
  return [
    table(head, rows.slice(0, maxRows), textColumns),
    ...(num_left > 0 ? [paragraph(`And ${count(num_left)} more${where}.`)] : []),
  ];
}

/** A page or two: longer tables are for programs. */
const maxRows = 40;

/** Images side by side, if the page is wide enough. */
export function images(files: { file: string; alt: string }[]): RootContent {
  const nodes = files.flatMap(({ file, alt }): PhrasingContent[] => [
    { type: "image", url: file, alt },
    { type: "text", value: "\n" },
  ]);
  return { type: "paragraph", children: nodes.slice(0, -1) };
}

export function codeBlock(lang: string, value: string): RootContent {
  return { type: "code", lang, value };
}

export function code(value: string): PhrasingContent {
  return { type: "inlineCode", value };
}

/** A link to a file next to the report. */
export function link(file: string): PhrasingContent {
  return { type: "link", url: file, children: [{ type: "text", value: file }] };
}

export function strong(value: string): PhrasingContent {
  return { type: "strong", children: inline(value) };
}

export function emphasis(value: string): PhrasingContent {
  return { type: "emphasis", children: inline(value) };
}

/** The text of each paragraph in a block. */
export function textsOf(node: Nodes): string[] {
  if ("children" in node && node.type !== "paragraph") return node.children.flatMap(textsOf);
  const text = textOf(node);
  return text === "" ? [] : [text];
}

function textOf(node: Nodes): string {
  if ("children" in node) return node.children.map(textOf).join("");
  return "value" in node ? node.value : "";
}

function inline(content: Inline): PhrasingContent[] {
  const parts = Array.isArray(content) ? content : [content];
  return parts.flatMap((part) => (typeof part === "string" ? textNodes(part) : part));
}

/** Text of which GitHub would make links is code instead: no label leads to another page. */
function textNodes(text: string): PhrasingContent[] {
  const parts = text.split(address); // The addresses have odd positions.
  return parts.flatMap((part, index): PhrasingContent[] => {
    if (part === "") return [];
    return index % 2 === 1 ? [code(part)] : [{ type: "text", value: part }];
  });
}

const address = /((?:https?:\/\/|ftp:\/\/|www\.)\S*|[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[\w-]*[A-Za-z])/i;
