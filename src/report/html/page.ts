import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ElementContent, Root } from "hast";
import { toHtml } from "hast-util-to-html";
import { packageRoot } from "../../package-root.ts";
import { element, sectionsOf } from "./blocks-to-html.ts";

/**
 * A page that needs no other file and no network: its policy lets the browser load nothing, and run only the script of
 * this package.
 *
 * @param json of the data, escaped for a script element; undefined without data.
 */
export function renderPage(
  title: string,
  content: ElementContent[],
  data: { id: string; json: string } | undefined,
): string {
  const [script, style] = ["js", "css"].map((kind) =>
    readFileSync(join(packageRoot, `dist/report-page.${kind}`), "utf8").trim(),
  ) as [string, string];
  const policy = [
    "default-src 'none'",
    `script-src ${sha256(script)}`,
    `style-src ${sha256(style)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const page: Root = {
    type: "root",
    children: [
      { type: "doctype" },
      element(
        "html",
        { lang: "en" },
        element(
          "head",
          {},
          element("meta", { charSet: "utf-8" }),
          element("meta", { httpEquiv: ["Content-Security-Policy"], content: policy }),
          element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
          element("meta", { name: "referrer", content: "no-referrer" }),
          element("title", {}, title),
          { type: "element", tagName: "style", properties: {}, children: [{ type: "text", value: style }] },
        ),
        element(
          "body",
          {},
          element("a", { href: "#content", className: ["skip"] }, "Skip to the report"),
          contents(content),
          element("main", { id: "content" }, ...content),
        ),
      ),
    ],
  };
  const scripts = [
    ...(data === undefined ? [] : [`<script type="application/json" id="${data.id}">${data.json}</script>`]),
    `<script>${script}</script>`,
  ];
  // The data and the script are no markup, and go in unchanged.
  return `${toHtml(page).replace(/<\/body><\/html>$/, () => `${scripts.join("\n")}\n</body></html>\n`)}`;
}

/** The source expression of an inline script or style in a content security policy. */
function sha256(text: string): string {
  return `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;
}

/** Links to the sections. */
function contents(content: ElementContent[]): ElementContent {
  const links = sectionsOf(content).map(({ id, title }) =>
    element("li", {}, element("a", { href: `#${id}` }, title)),
  );
  return element("nav", { className: ["contents"], ariaLabel: "Contents" }, element("ul", {}, ...links));
}
