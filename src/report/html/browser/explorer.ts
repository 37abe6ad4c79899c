import type { PageData } from "../page-data.ts";
import { card, spaced } from "./card.ts";
import { controls, describeSelection } from "./controls.ts";
import { button, count, element, percent } from "./dom.ts";
import {
  countClasses,
  countOutcomes,
  type Filter,
  firstFilter,
  isHit,
  type Outcome,
  selectRows,
} from "./filters.ts";

/** Builds the browser of single expressions in its section, from the data of the page. */
export function startExplorer(section: HTMLElement, data: PageData): void {
  let filter = firstFilter(data);
  let extra: number[] = [];
  let page = 0;
  const form = element("div", { class: "controls" });
  const outcomes = element("div", { class: "outcomes" });
  const status = element("p", { role: "status", class: "status" });
  const selection = element("p", { class: "print-only", dir: "auto" });
  const cards = element("ul", { class: "cards" });
  const pages = element("nav", { class: "pages", "aria-label": "Pages of expressions" });

  const change = (changes: Partial<Filter>): void => {
    filter = { ...filter, ...changes };
    page = 0;
    show();
  };
  const reset = (): void => {
    filter = firstFilter(data);
    extra = [];
    page = 0;
    build();
    form.querySelector("select")?.focus();
  };
  const build = (): void => {
    form.replaceChildren(
      ...controls(data, filter, {
        change,
        reset,
        showExtra: (settings) => {
          extra = settings;
          show();
        },
      }),
    );
    show();
  };
  const show = (): void => {
    const rows = selectRows(data, filter);
    const numPages = Math.max(1, Math.ceil(rows.length / pageSize));
    const shown = rows.slice(page * pageSize, (page + 1) * pageSize);
    const settings = [...new Set([filter.a, filter.b, ...extra])];
    status.textContent = describeRows(data, filter, rows, page, numPages);
    selection.textContent = describeSelection(data, filter);
    outcomes.replaceChildren(
      outcomeTable(data, filter, (outcome) => {
        const select = form.querySelector<HTMLSelectElement>("select[name=outcome]");
        if (select !== null) select.value = outcome;
        change({ outcome });
        outcomes.querySelector<HTMLElement>(`[data-outcome=${outcome}]`)?.focus();
      }),
      classTable(data, filter, rows),
    );
    cards.replaceChildren(...shown.map((row) => card(data, filter, settings, row)));
    pages.replaceChildren(...pageButtons(page, numPages, turnTo));
  };
  const turnTo = (next: number): void => {
    page = next;
    show();
    status.scrollIntoView({ block: "start" });
    status.focus();
  };
  status.tabIndex = -1;
  section.append(form, outcomes, selection, status, cards, pages);
  build();
}

const pageSize = 24;

function describeRows(
  data: PageData,
  { a, b }: Filter,
  rows: number[],
  page: number,
  numPages: number,
): string {
  const total = data.expressions.sentence.length;
  if (rows.length === 0)
    return `None of the ${count(total)} expressions match. Reset the filters to see all.`;
  const numImages = new Set(rows.map((row) => data.expressions.image[row])).size;
  const accuracy = (setting: number): string =>
    percent(rows.filter((row) => isHit(data, setting, row)).length / rows.length);
  const labelOf = (setting: number): string => data.settings[setting]?.label ?? "";
  // Isolated: a label from right to left must not reorder the numbers.
  const named = (letter: string, setting: number): string =>
    `${letter} (\u2068${labelOf(setting)}\u2069) ${accuracy(setting)}`;
  const both = a === b ? named("A", a) : `${named("A", a)}, ${named("B", b)}`;
  const pageText = numPages === 1 ? "" : ` Page ${count(page + 1)} of ${count(numPages)}.`;
  return `${count(rows.length)} of ${count(total)} expressions in ${count(numImages)} images. Right: ${both}.${pageText}`;
}

/** Right and wrong answers of A and B; each number is a button that selects these expressions. */
function outcomeTable(data: PageData, filter: Filter, choose: (outcome: Outcome) => void): HTMLElement {
  const counts = countOutcomes(data, filter);
  const cell = (outcome: keyof typeof counts, name: string): HTMLElement => {
    const isChosen = filter.outcome === outcome;
    const made = button(count(counts[outcome]), () => choose(isChosen ? "all" : outcome));
    made.setAttribute("aria-pressed", String(isChosen));
    made.setAttribute("aria-label", `${name}: ${count(counts[outcome])} expressions`);
    made.dataset.outcome = outcome;
    return element("td", {}, made);
  };
  return element(
    "table",
    { class: "outcome" },
    element("caption", {}, "Answers of A and B"),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("td", {}),
        ...["B right", "B wrong"].map((text) => element("th", { scope: "col" }, text)),
      ),
    ),
    element(
      "tbody",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "row" }, "A right"),
        cell("both", "A right, B right"),
        cell("a_only", "A right, B wrong"),
      ),
      element(
        "tr",
        {},
        element("th", { scope: "row" }, "A wrong"),
        cell("b_only", "A wrong, B right"),
        cell("neither", "A wrong, B wrong"),
      ),
    ),
  );
}

/** The answers of A and B to the selected expressions, by error class. */
function classTable(data: PageData, { a, b }: Filter, rows: number[]): HTMLElement {
  const [countsA, countsB] = [countClasses(data, a, rows), countClasses(data, b, rows)];
  return element(
    "table",
    { class: "classes" },
    element("caption", {}, "Selected expressions by answer"),
    element(
      "thead",
      {},
      element("tr", {}, ...["answer", "A", "B"].map((text) => element("th", { scope: "col" }, text))),
    ),
    element(
      "tbody",
      {},
      ...data.error_classes.map((name, code) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, spaced(name)),
          element("td", {}, count(countsA[code] ?? 0)),
          element("td", {}, count(countsB[code] ?? 0)),
        ),
      ),
    ),
  );
}

function pageButtons(page: number, numPages: number, turnTo: (page: number) => void): HTMLElement[] {
  if (numPages === 1) return [];
  const previous = button("Previous", () => turnTo(page - 1));
  const next = button("Next", () => turnTo(page + 1));
  previous.disabled = page === 0;
  next.disabled = page === numPages - 1;
  return [previous, element("span", {}, `Page ${count(page + 1)} of ${count(numPages)}`), next];
}
