import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { CliprpnError } from "../../src/contract/errors.ts";
import type { ReadExperiment } from "../../src/experiment/check-experiment.ts";
import { readExperiment } from "../../src/experiment/read-experiment.ts";
import { goodExperiment } from "../helpers/experiment-arbitrary.ts";
import { type Path, type Printed, print, type Tree, toTree } from "../helpers/printed-json.ts";

const folder = mkdtempSync(join(tmpdir(), "cliprpn-fuzz-"));
const file = join(folder, "experiment.json");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// Shrinking a counterexample takes its time.
vi.setConfig({ testTimeout: 60_000 });

const gaps = fc.array(fc.constantFrom("", " ", "\n", "\r\n", "\t", "  ", '/* { " */', "// , }\n", "\n    "), {
  minLength: 1,
  maxLength: 40,
});
const starts = fc.constantFrom("", "\uFEFF");
/** A number for picking one of as many as there turn out to be. */
const pick = fc.nat();

test("a good experiment is never refused, however it is laid out", () => {
  fc.assert(
    fc.property(goodExperiment(), gaps, starts, (experiment, between, start) => {
      const { settings } = read(print(toTree(experiment), between, start).text);
      expect(settings.length).toBeGreaterThan(0);
    }),
    { numRuns: 150 },
  );
});

test("a mistake anywhere is told at its line and column, and nothing else is", () => {
  fc.assert(
    fc.property(
      goodExperiment(),
      gaps,
      starts,
      fc.constantFrom(...mistakes),
      pick,
      pick,
      (experiment, between, start, mistake, ...picks) => {
        const made = mistake(toTree(experiment), picks);
        fc.pre(made !== undefined);
        const printed = print(made.tree, between, start);
        expect(places(printed.text)).toEqual([made.place(printed)]);
      },
    ),
    { numRuns: 500 },
  );
});

test("two mistakes are told at once", () => {
  fc.assert(
    fc.property(goodExperiment(), gaps, pick, pick, (experiment, between, ...picks) => {
      const first = unknownKey(toTree(experiment), picks);
      const second = first === undefined ? undefined : wrongType(first.tree, [...picks].reverse());
      fc.pre(first !== undefined && second !== undefined);
      const printed = print(second.tree, between);
      // The second may have replaced what the first stood in.
      fc.pre(/^\d/.test(first.place(printed)));
      expect(places(printed.text).sort()).toEqual([first.place(printed), second.place(printed)].sort());
    }),
    { numRuns: 100 },
  );
});

test("a damaged file gives a list of problems with their places, or is good; never anything else", () => {
  const damage = fc.record({
    at: pick,
    cut: fc.nat({ max: 3 }),
    put: fc.string({ maxLength: 3, unit: "binary" }),
  });
  fc.assert(
    fc.property(
      goodExperiment(),
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

test("a file cut off anywhere is refused with a place", () => {
  fc.assert(
    fc.property(goodExperiment(), pick, (experiment, at) => {
      const text = JSON.stringify(experiment, null, 1);
      places(text.slice(0, at % text.length));
    }),
    { numRuns: 100 },
  );
});

test("garbage, as text, JSON or bytes, gives a list of problems with their places", () => {
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

test("any --set gives a list of problems, or a good experiment; never anything else", () => {
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

interface Made {
  tree: Tree;
  /** Where the mistake is to be told. */
  place(printed: Printed): string;
}
type Mistake = (tree: Tree, picks: number[]) => Made | undefined;

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
  const ofPublished = ["metric", "split", "low", "high", "source", "verified"];
  const needed = isDetector(target.node) ? ["kind"] : ofPublished;
  const gone = picked(target.path.length === 0 ? ["name", "question"] : needed, where);
  const entries = target.node.entries.filter(([key]) => key !== gone);
  return {
    tree: replaced(tree, target.path, { kind: "object", entries }),
    place: (printed) => printed.valueAt(target.path),
  };
};

function isDetector({ entries }: Tree & { kind: "object" }): boolean {
  return entries.some(([key]) => key === "kind");
}

const mistakes = [unknownKey, repeatedKey, wrongType, outOfRange, missingKey];

interface Placed<Node extends Tree = Tree> {
  path: Path;
  node: Node;
}

function all(node: Tree, path: Path = []): Placed[] {
  // What is below `params` belongs to the person's own fusion: anything goes.
  if (path.at(-1) === "params") return [{ path, node }];
  const inner =
    node.kind === "object"
      ? node.entries.flatMap(([key, item]) => all(item, [...path, key]))
      : node.kind === "array"
        ? node.items.flatMap((item, index) => all(item, [...path, index]))
        : [];
  return [{ path, node }, ...inner];
}

function objects(tree: Tree): Placed<Tree & { kind: "object" }>[] {
  return all(tree).flatMap(({ path, node }) =>
    node.kind === "object" && path.at(-1) !== "params" ? [{ path, node }] : [],
  );
}

/** Values of which a schema says something. */
function checkedValues(tree: Tree): Placed[] {
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

/** `line:column` of every problem told. */
function places(text: string | Uint8Array): string[] {
  const found = placesOrNone(text);
  expect(found).not.toEqual([]);
  return found;
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
    expect(lines.pop()).toMatch(/: \d+ problems?, nothing was started$/);
    return lines.map((line) => {
      const match = /^(\d+:\d+) {2}\S/.exec(line.slice(file.length + 1));
      expect(match, line).not.toBeNull();
      return match?.[1] ?? "";
    });
  }
}
