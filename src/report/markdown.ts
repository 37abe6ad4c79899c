import type { Nodes, PhrasingContent, Root, RootContent } from "mdast";
import { gfmToMarkdown } from "mdast-util-gfm";
import { toMarkdown } from "mdast-util-to-markdown";

/** What a paragraph or a cell may be given as: text is escaped, nodes are taken as they are. */
export type Inline = string | PhrasingContent | (string | PhrasingContent)[];

/** Markdown text of the blocks; sentences, pipes and angle brackets are escaped by the library. */
export function render(blocks: RootContent[]): string {
  const root: Root = { type: "root", children: blocks };
  return toMarkdown(root as Nodes, {
    bullet: "-",
    rule: "-",
    extensions: [gfmToMarkdown({ tablePipeAlign: false })],
  });
}

export function heading(depth: 1 | 2 | 3, text: string): RootContent {
  return { type: "heading", depth, children: [{ type: "text", value: text }] };
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

/** First column to the left, the others to the right. */
export function table(head: string[], rows: Inline[][]): RootContent {
  return {
    type: "table",
    align: head.map((_, index) => (index === 0 ? "left" : "right")),
    children: [head, ...rows].map((row) => ({
      type: "tableRow",
      children: row.map((cell) => ({ type: "tableCell", children: inline(cell) })),
    })),
  };
}

export function image(url: string, alt: string): RootContent {
  return { type: "paragraph", children: [{ type: "image", url, alt }] };
}

export function codeBlock(lang: string, value: string): RootContent {
  return { type: "code", lang, value };
}

export function code(value: string): PhrasingContent {
  return { type: "inlineCode", value };
}

export function strong(value: string): PhrasingContent {
  return { type: "strong", children: [{ type: "text", value }] };
}

function inline(content: Inline): PhrasingContent[] {
  const parts = Array.isArray(content) ? content : [content];
  return parts.map((part) => (typeof part === "string" ? { type: "text", value: part } : part));
}
