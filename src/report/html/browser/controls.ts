import type { PageData } from "../page-data.ts";
import { styleOf, swatch } from "./boxes.ts";
import { spaced } from "./card.ts";
import { button, element, field, select } from "./dom.ts";
import type { Filter, Order, Outcome } from "./filters.ts";

interface Actions {
  change(changes: Partial<Filter>): void;
  reset(): void;
  /** Shows the boxes of these configurations besides those of A and B. */
  showExtra(settings: number[]): void;
}

/** The controls that select expressions. Each has a label; all work with the keyboard. */
export function controls(data: PageData, filter: Filter, actions: Actions): HTMLElement[] {
  const { change } = actions;
  let { groups } = filter;
  const title = data.noun === "model" ? "Model" : "Configuration";
  const labels = data.settings.map(({ label }, index): [string, string] => [String(index), label]);
  const classes: [string, string][] = [
    ["-1", "any"],
    ...data.error_classes.map((name, code): [string, string] => [String(code), spaced(name)]),
  ];
  const extra = extraBoxes(data, filter, actions.showExtra);
  const choose = (key: "a" | "b", text: string): HTMLElement =>
    choice(text, key, labels, String(filter[key]), (value) => {
      change({ [key]: Number(value) });
      extra.rebuild(key, Number(value));
    });
  return [
    group("Compare", [
      choose("a", `${title} A`),
      choose("b", `${title} B`),
      choice("Answers", "outcome", outcomes, filter.outcome, (value) =>
        change({ outcome: value as Outcome }),
      ),
      choice("Answer of A", "error-a", classes, String(filter.errorA), (value) =>
        change({ errorA: Number(value) }),
      ),
      choice("Answer of B", "error-b", classes, String(filter.errorB), (value) =>
        change({ errorB: Number(value) }),
      ),
    ]),
    group("Expressions", [
      ...data.subsets.map(({ by, groups: names }, index) =>
        choice(
          capitalized(subsetTitles[by] ?? spaced(by)),
          `subset-${by}`,
          [
            ["-1", "all"],
            ...names.map((name, position): [string, string] => [String(position), spaced(name)]),
          ],
          String(filter.groups[index] ?? -1),
          (value) => {
            groups = groups.with(index, Number(value));
            change({ groups });
          },
        ),
      ),
      searchField(filter.text, (text) => change({ text })),
      choice("Order", "order", orders, filter.order, (value) => change({ order: value as Order })),
    ]),
    ...(data.settings.length > 2 ? [extra.element] : []),
    button("Reset filters", actions.reset),
  ];
}

const outcomes: [Outcome, string][] = [
  ["all", "all"],
  ["a_only", "A right, B wrong"],
  ["b_only", "A wrong, B right"],
  ["neither", "both wrong"],
  ["both", "both right"],
];

const orders: [Order, string][] = [
  ["gain", "largest lead of A"],
  ["loss", "largest lead of B"],
  ["score", "highest score of A"],
  ["dataset", "as in the dataset"],
];

const subsetTitles: Record<string, string> = {
  stratum: "subset",
  area_tercile: "object size",
  area_tercile_refcocog: "object size (RefCOCOg's terciles)",
  sentence_length: "expression length",
  num_same_category: "objects of the category in the image",
};

/** The selection in words, for a printed page without controls. */
export function describeSelection(data: PageData, filter: Filter): string {
  const parts = data.subsets.flatMap(({ by, groups }, index) => {
    const name = groups[filter.groups[index] ?? -1];
    return name === undefined ? [] : [`${subsetTitles[by] ?? spaced(by)}: ${spaced(name)}`];
  });
  const classOf = (letter: string, code: number): string[] => {
    const name = data.error_classes[code];
    return name === undefined ? [] : [`answer of ${letter}: ${spaced(name)}`];
  };
  const selected = [
    ...(filter.outcome === "all" ? [] : [nameOf(outcomes, filter.outcome)]),
    ...classOf("A", filter.errorA),
    ...classOf("B", filter.errorB),
    ...parts,
    ...(filter.text.trim() === "" ? [] : [`the expression contains “${filter.text.trim()}”`]),
  ];
  const what = selected.length === 0 ? "all expressions" : selected.join("; ");
  return `Selection: ${what}. Order: ${nameOf(orders, filter.order)}.`;
}

function nameOf<T>(names: [T, string][], value: T): string {
  return names.find(([key]) => key === value)?.[1] ?? "";
}

function group(legend: string, fields: HTMLElement[]): HTMLElement {
  return element("fieldset", {}, element("legend", {}, legend), ...fields);
}

function choice(
  text: string,
  name: string,
  options: [value: string, text: string][],
  chosen: string,
  onChange: (value: string) => void,
): HTMLElement {
  const made = select(options, chosen);
  made.name = name;
  made.addEventListener("change", () => onChange(made.value));
  return field(text, made);
}

function searchField(text: string, onChange: (text: string) => void): HTMLElement {
  const input = element("input", {
    type: "search",
    name: "text",
    value: text,
    autocomplete: "off",
    dir: "auto",
  });
  input.addEventListener("input", () => onChange(input.value));
  return field("Expression contains", input);
}

/** Checkboxes for the boxes of configurations other than A and B. */
function extraBoxes(
  data: PageData,
  filter: Filter,
  showExtra: (settings: number[]) => void,
): { element: HTMLElement; rebuild(key: "a" | "b", setting: number): void } {
  const chosen = { a: filter.a, b: filter.b };
  const shown = new Set<number>();
  const list = element("div", { class: "checks" });
  const rebuild = (key: "a" | "b", setting: number): void => {
    chosen[key] = setting;
    const others = data.settings.flatMap(({ label }, index) =>
      index === chosen.a || index === chosen.b ? [] : [{ label, index }],
    );
    list.replaceChildren(
      ...others.map(({ label, index }) => {
        const input = element("input", { type: "checkbox", checked: shown.has(index) });
        input.addEventListener("change", () => {
          if (input.checked) shown.add(index);
          else shown.delete(index);
          showExtra([...shown]);
        });
        const name = element("bdi", {}, label);
        return element("label", { class: "check" }, input, swatch(styleOf(index, chosen.a, chosen.b)), name);
      }),
    );
  };
  rebuild("a", filter.a);
  return {
    element: element("fieldset", {}, element("legend", {}, "Also show the boxes of"), list),
    rebuild,
  };
}

function capitalized(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
