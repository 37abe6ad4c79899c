import { ids, type PageData } from "../page-data.ts";
import { startExplorer } from "./explorer.ts";
import { makeSortable } from "./sortable-table.ts";

/** The script of REPORT.html. Without it, the page is the report as text, tables and charts. */
for (const table of document.querySelectorAll<HTMLTableElement>("table")) makeSortable(table);
makeScrollable();

const section = document.getElementById(ids.explorer);
const json = document.getElementById(ids.data)?.textContent;
// Written together with this script, by the same version.
if (section !== null && json) startExplorer(section, JSON.parse(json) as PageData);

/** Lets the keyboard scroll what is wider than the page. */
function makeScrollable(): void {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0");
      else target.removeAttribute("tabindex");
    }
  });
  for (const region of document.querySelectorAll(".scroll")) observer.observe(region);
}
