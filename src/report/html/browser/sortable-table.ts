import { element } from "./dom.ts";
import { isNumericColumn, type SortKey, sortedOrder, sortKey } from "./sort-keys.ts";

/** Puts a button into each column heading, which sorts the rows: by value, reversed, and as they were. */
export function makeSortable(table: HTMLTableElement): void {
  const headings = [...(table.tHead?.rows[0]?.cells ?? [])];
  const body = table.tBodies[0];
  if (body === undefined || body.rows.length < 2) return;
  const original = [...body.rows];
  for (const [column, heading] of headings.entries()) {
    const keys = original.map((row): SortKey => sortKey(row.cells[column]?.textContent ?? ""));
    // The highest number first, but the alphabet from its start.
    const [first, second] = isNumericColumn(keys) ? directions.toReversed() : directions;
    const toggle = element("button", { type: "button", class: "sort" }, ...heading.childNodes);
    heading.append(toggle);
    toggle.addEventListener("click", () => {
      const current = heading.getAttribute("aria-sort");
      const next = current === null ? first : current === first ? second : undefined;
      for (const other of headings) other.removeAttribute("aria-sort");
      if (next !== undefined) heading.setAttribute("aria-sort", next);
      const order = next === undefined ? original.keys() : sortedOrder(keys, next === "descending");
      body.append(...[...order].flatMap((index) => original[index] ?? []));
    });
  }
}

const directions = ["ascending", "descending"] as const;
