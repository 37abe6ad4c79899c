import type { RootContent } from "mdast";
import { joinWords } from "../../base/format.ts";
import { shortLine } from "../../base/plain-text.ts";
import type { ComparedModel, Protocol, StoredComparison } from "../../contract/generated/types.ts";
import { bullets, code, heading, longTable, paragraph } from "../markdown.ts";
import { nameLabels, quoteLabel } from "../names.ts";
import { noValue } from "../points.ts";

/** How each outside model was asked, as its evaluator declares it. */
export function protocol(comparison: StoredComparison | undefined): RootContent[] {
  const models = outsideModels(comparison);
  const declared = models.filter((model) => Object.keys(model.protocol ?? {}).length > 0);
  if (declared.length === 0) return [];
  const columns = shortFields.filter(({ read }) =>
    declared.some((model) => read(model.protocol ?? {}) !== undefined),
  );
  const texts = declared.flatMap(({ label, protocol: of }) =>
    longFields.flatMap((field) => {
      const text = of?.[field];
      return text === undefined ? [] : [[`${quoteLabel(label)}, ${field}: `, code(shortLine(text, 1000))]];
    }),
  );
  return [
    heading(2, "Protocol"),
    paragraph("How each model was asked, as declared by its evaluator."),
    ...(columns.length === 0
      ? []
      : longTable(
          ["compared model", ...columns.map(({ title }) => title)],
          models.map((model) => [
            model.label,
            ...columns.map(({ read }) => shortLine(read(model.protocol ?? {}) ?? noValue, 80)),
          ]),
          columns.length + 1,
        )),
    ...(texts.length === 0 ? [] : [bullets(texts)]),
  ];
}

/**
 * Sentences beside the verdict, without their periods: what differs between how two models were asked, and which models declare
 * nothing.
 *
 * @param named the two models that the verdict compares.
 */
export function protocolRemarks(
  comparison: StoredComparison | undefined,
  named: readonly [string, string | null],
): string[] {
  const models = outsideModels(comparison);
  const undeclared = models.filter((model) => Object.keys(model.protocol ?? {}).length === 0);
  return [
    ...pairsToCompare(models, named).flatMap(([a, b]) => differenceSentence(a, b)),
    ...(undeclared.length === 0
      ? []
      : [`No protocol is declared for ${nameLabels(undeclared.map(({ label }) => label))}`]),
  ];
}

/** The two that the verdict compares, then those of the same model. */
function pairsToCompare(
  models: readonly ComparedModel[],
  [best, rival]: readonly [string, string | null],
): [ComparedModel, ComparedModel][] {
  const all = models.flatMap((a, index) =>
    models.slice(index + 1).map((b): [ComparedModel, ComparedModel] => [a, b]),
  );
  const isNamed = (labels: string[]): boolean =>
    rival !== null && labels.includes(best) && labels.includes(rival);
  const first = all.filter(([a, b]) => isNamed([a.label, b.label]));
  const same = all.filter(
    ([a, b]) =>
      !isNamed([a.label, b.label]) &&
      a.protocol?.model !== undefined &&
      a.protocol.model === b.protocol?.model,
  );
  return [...first, ...same].slice(0, maxPairs);
}

const maxPairs = 4;

/** "a and b differ in prompt and max_pixels", "a, but not b, declares decoding". */
function differenceSentence(a: ComparedModel, b: ComparedModel): string[] {
  if (a.protocol === null || b.protocol === null) return [];
  const [ofA, ofB] = [fieldsOf(a.protocol), fieldsOf(b.protocol)];
  const isSame = a.protocol.model !== undefined && a.protocol.model === b.protocol.model;
  const keys = [...new Set([...ofA.keys(), ...ofB.keys()])].filter((key) => isSame || !ofModel.has(key));
  const both = keys.filter((key) => ofA.has(key) && ofB.has(key));
  const differing = both.filter((key) => ofA.get(key) !== ofB.get(key));
  const only = (one: Map<string, string>, other: Map<string, string>): string[] =>
    keys.filter((key) => one.has(key) && !other.has(key));
  const names = [a, b].map(({ label }) => quoteLabel(label));
  const model = isSame ? " are the same model, and" : "";
  return [
    ...(differing.length === 0 ? [] : [`${joinWords(names)}${model} differ in ${joinWords(differing)}`]),
    ...[only(ofA, ofB), only(ofB, ofA)].flatMap((found, index) =>
      found.length === 0
        ? []
        : [`Only ${names[index]} declares ${joinWords(found)}, not ${names[1 - index]}`],
    ),
  ];
}

/** What two different models never share. */
const ofModel = new Set(["revision", "weights"]);

/** The fields of how a model is asked, with the values as text; each parameter of the decoding is a field. */
function fieldsOf({
  model: _,
  trained_on: __,
  notes: ___,
  decoding,
  ...fields
}: Protocol): Map<string, string> {
  return new Map([
    ...Object.entries(fields).map(([key, value]): [string, string] => [key, String(value)]),
    ...Object.entries(decoding ?? {}).map(([key, value]): [string, string] => [key, JSON.stringify(value)]),
  ]);
}

function outsideModels(comparison: StoredComparison | undefined): ComparedModel[] {
  return (comparison?.models ?? []).filter(({ kind }) => kind === "results");
}

const shortFields: { title: string; read: (protocol: Protocol) => string | undefined }[] = [
  { title: "model", read: ({ model }) => model },
  { title: "revision", read: ({ revision }) => revision },
  { title: "weights", read: ({ weights }) => weights },
  { title: "min_pixels", read: ({ min_pixels }) => textOf(min_pixels) },
  { title: "max_pixels", read: ({ max_pixels }) => textOf(max_pixels) },
  {
    title: "decoding",
    read: ({ decoding }) =>
      decoding === undefined
        ? undefined
        : Object.entries(decoding)
            .map(([key, value]) => `${key} ${String(value)}`)
            .join(", "),
  },
  { title: "trained on", read: ({ trained_on }) => trained_on?.join(", ") },
];

/** Sentences, which make a table unreadable. */
const longFields = ["prompt", "notes"] as const;

function textOf(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
