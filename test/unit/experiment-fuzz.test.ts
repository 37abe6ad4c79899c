import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { ReadExperiment } from "../../src/experiment/check-experiment.ts";
import type { Path } from "../../src/experiment/problem.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { validExperiment } from "../helpers/experiment-arbitrary.ts";
import { type Printed, print, type Tree, toTree } from "../helpers/printed-json.ts";
import { sharedFolder } from "../helpers/temp-folder.ts";

const folder = sharedFolder("fuzz");
const file = join(folder, "experiment.json");

const gaps = fc.array(fc.constantFrom("", " ", "\n", "\r\n", "\t", "  ", '/* { " */', "// , }\n", "\n    "), {
  minLength: 1,
  maxLength: 40,
});
const starts = fc.constantFrom("", "\uFEFF");
/** An index, taken modulo the number of items. */
const pick = fc.nat();

test("a valid experiment is accepted in any layout", () => {
  fc.assert(
    fc.property(validExperiment(), gaps, starts, (experiment, between, start) => {
      const { settings } = read(print(toTree(experiment), between, start).text);
      expect(settings.length).toBeGreaterThan(0);
    }),
    { numRuns: 150 },
  );
});

test("one mistake is reported at its line and column, and nothing else", () => {
  fc.assert(
    fc.property(
      validExperiment(),
      gaps,
      starts,
      fc.constantFrom(...mistakes),
      pick,
      pick,
      (experiment, between, start, mistake, ...picks) => {
        const mistaken = mistake(toTree(experiment), picks);
        fc.pre(mistaken !== undefined);
        const printed = print(mistaken.tree, between, start);
        expect(places(printed.text)).toEqual([mistaken.place(printed)]);
      },
    ),
    { numRuns: 500 },
  );
});

test("two mistakes are reported at once", () => {
  fc.assert(
    fc.property(validExperiment(), gaps, pick, pick, (experiment, between, ...picks) => {
      const first = unknownKey(toTree(experiment), picks);
      const second = first === undefined ? undefined : wrongType(first.tree, [...picks].reverse());
      fc.pre(first !== undefined && second !== undefined);
      const printed = print(second.tree, between);
      // The second mistake may have replaced the object with the first.
      fc.pre(/^\d/.test(first.place(printed)));
      expect(places(printed.text).sort()).toEqual([first.place(printed), second.place(printed)].sort());
    }),
    { numRuns: 100 },
  );
});

test("a damaged file is valid or gives a list of problems with places", () => {
  const damage = fc.record({
    at: pick,
    cut: fc.nat({ max: 3 }),
    put: fc.oneof(
      fc.string({ maxLength: 3, unit: "binary" }),
      // They may take several lines for one text.
      fc.constantFrom("`", "'", "'''", '"', '"""', "(", "f(", "\u201C", "\\", "/*", "\r"),
    ),
  });
  fc.assert(
    fc.property(
      validExperiment(),
      gaps,
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      (experiment, between, all) => {
        let { text } = print(toTree(experiment), between);
        for (const { at, cut, put } of all) {
          const offset = at % (text.length + 1);
          text = text.slice(0, offset) + put + text.slice(offset + cut);
        }
        placesOrNone(text);
      },
    ),
    { numRuns: 500 },
  );
});

test("a truncated file is rejected with a place", () => {
  fc.assert(
    fc.property(validExperiment(), pick, (experiment, at) => {
      const text = JSON.stringify(experiment, null, 1);
      places(text.slice(0, at % text.length));
    }),
    { numRuns: 100 },
  );
});

test("random text, JSON or bytes give a list of problems with places", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.stringMatching(/^[[\]{}",:/*\\ 0-9e.tfn-]*$/),
  );
  fc.assert(
    fc.property(text, (garbage) => void places(garbage)),
    { numRuns: 150 },
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => void places(bytes)),
    { numRuns: 100 },
  );
});

test("any --set gives a valid experiment or a list of problems", () => {
  const text = JSON.stringify({ name: "a", question: "Which is best?", vary: { fusion: ["film"] } });
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "seeds",
      "vary.fusion",
      "vary",
      "fusion",
      "fusion.text",
      "baseline.detector",
      "vary.baseline.detector",
      "baseline.detector.weights",
      "also",
      "training.learning_rate",
      "rpn",
      "__proto__.a",
      "a..b",
      "settings",
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.oneof(fc.json(), fc.string())), { maxLength: 3 }), (sets) => {
      placesOrNone(
        text,
        sets.map(([name, value]) => `${name}=${value}`),
      );
    }),
    { numRuns: 150 },
  );
});

interface MistakenTree {
  tree: Tree;
  /** Where the mistake has to be reported. */
  place(printed: Printed): string;
}
type Mistake = (tree: Tree, picks: number[]) => MistakenTree | undefined;

const unknownKey: Mistake = (tree, [which = 0, where = 0]) => {
  const target = picked(objects(tree), which);
  if (target === undefined) return undefined;
  const path = [...target.path, "zz_unknown"];
  const entries = [...target.node.entries];
  entries.splice(where % (entries.length + 1), 0, ["zz_unknown", toTree(1)]);
  return {
    tree: replaced(tree, target.path, { kind: "object", entries }),
    place: (printed) => printed.keyAt(path),
  };
};

const repeatedKey: Mistake = (tree, [which = 0, where = 0]) => {
  const target = picked(
    objects(tree).filter(({ node }) => node.entries.length > 0),
    which,
  );
  const entry = target === undefined ? undefined : picked(target.node.entries, where);
  if (target === undefined || entry === undefined) return undefined;
  return {
    tree: replaced(tree, target.path, { kind: "object", entries: [...target.node.entries, entry] }),
    place: (printed) => printed.keyAt([...target.path, entry[0]]),
  };
};

const wrongType: Mistake = (tree, [which = 0]) => {
  const target = picked(checkedValues(tree), which);
  if (target === undefined) return undefined;
  const mayBeNumber =
    target.node.kind === "value" && (target.node.value === null || typeof target.node.value === "number");
  const wrong = mayBeNumber ? "x" : 12.5;
  return {
    tree: replaced(tree, target.path, toTree(wrong)),
    place: (printed) => printed.valueAt(target.path),
  };
};

const outOfRange: Mistake = (tree, [which = 0]) => {
  const numbers = checkedValues(tree).filter(
    ({ node }) => node.kind === "value" && typeof node.value === "number",
  );
  const target = picked(numbers, which);
  return target === undefined
    ? undefined
    : { tree: replaced(tree, target.path, toTree(-1)), place: (printed) => printed.valueAt(target.path) };
};

const missingKey: Mistake = (tree, [which = 0, where = 0]) => {
  const target = picked(
    objects(tree).filter(
      ({ path, node }) => path.length === 0 || path[0] === "published" || isDetector(node),
    ),
    which,
  );
  if (target === undefined) return undefined;
  const publishedKeys = ["metric", "split", "low", "high", "source", "verified"];
  const needed = isDetector(target.node) ? ["kind"] : publishedKeys;
  const removed = picked(target.path.length === 0 ? ["name", "question"] : needed, where);
  const entries = target.node.entries.filter(([key]) => key !== removed);
  return {
    tree: replaced(tree, target.path, { kind: "object", entries }),
    place: (printed) => printed.valueAt(target.path),
  };
};

function isDetector({ entries }: Tree & { kind: "object" }): boolean {
  return entries.some(([key]) => key === "kind");
}

const mistakes = [unknownKey, repeatedKey, wrongType, outOfRange, missingKey];

interface NodeAt<Node extends Tree = Tree> {
  path: Path;
  node: Node;
}

function all(node: Tree, path: Path = []): NodeAt[] {
  // The params of a custom fusion may have any value.
  if (path.at(-1) === "params") return [{ path, node }];
  const inner =
    node.kind === "object"
      ? node.entries.flatMap(([key, item]) => all(item, [...path, key]))
      : node.kind === "array"
        ? node.items.flatMap((item, index) => all(item, [...path, index]))
        : [];
  return [{ path, node }, ...inner];
}

function objects(tree: Tree): NodeAt<Tree & { kind: "object" }>[] {
  return all(tree).flatMap(({ path, node }) =>
    node.kind === "object" && path.at(-1) !== "params" ? [{ path, node }] : [],
  );
}

/** Values that the schema restricts. */
function checkedValues(tree: Tree): NodeAt[] {
  return all(tree).filter(({ path }) => path.length > 0 && !path.includes("zz_unknown"));
}

function picked<Item>(items: Item[], which: number): Item | undefined {
  return items[which % Math.max(1, items.length)];
}

function replaced(node: Tree, [head, ...rest]: Path, by: Tree): Tree {
  if (head === undefined) return by;
  if (node.kind === "object")
    return {
      kind: "object",
      entries: node.entries.map(([key, item]) => [key, key === head ? replaced(item, rest, by) : item]),
    };
  if (node.kind === "array")
    return {
      kind: "array",
      items: node.items.map((item, index) => (index === head ? replaced(item, rest, by) : item)),
    };
  return node;
}

function read(text: string | Uint8Array, sets: string[] = []): ReadExperiment {
  writeFileSync(file, text);
  return readExperiment(file, sets, folder);
}

/** `line:column` of every problem. */
function places(text: string | Uint8Array): string[] {
  const lines = placesOrNone(text);
  expect(lines).not.toEqual([]);
  return lines;
}

function placesOrNone(text: string | Uint8Array, sets: string[] = []): string[] {
  try {
    read(text, sets);
    return [];
  } catch (error) {
    if (!(error instanceof CliprpnError)) throw error;
    expect(error.code).toBe("bad_input");
    if (sets.length > 0) return [];
    const lines = error.message.split("\n");
    expect(lines.pop()).toMatch(/: \d+ problems?\b/);
    return lines.map((line) => {
      const match = /^(\d+:\d+) {2}\S/.exec(line.slice(file.length + 1));
      expect(match, line).not.toBeNull();
      return match?.[1] ?? "";
    });
  }
}
