type Child = Node | string;
type Attributes = Record<string, string | number | boolean | undefined>;

/** A new HTML element. Texts become text nodes, so that none is read as markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** The same for SVG. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

function setAttributes(made: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
}

/** A label and its control, one above the other. */
export function field(text: string, control: HTMLElement): HTMLElement {
  numFields += 1;
  control.id = `field-${numFields}`;
  return element("div", { class: "field" }, element("label", { for: control.id }, text), control);
}

let numFields = 0;

export function select(options: [value: string, text: string][], chosen: string): HTMLSelectElement {
  const made = element(
    "select",
    {},
    ...options.map(([value, text]) =>
      element("option", { value, selected: value === chosen, dir: "auto" }, text),
    ),
  );
  made.value = chosen;
  return made;
}

export function button(text: string, onClick: () => void): HTMLButtonElement {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", onClick);
  return made;
}

/** 0.5312 -> "53.1 %". */
export function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
}

/** 1234 -> "1,234". */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}
