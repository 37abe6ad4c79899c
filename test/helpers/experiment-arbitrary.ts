import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { packageRoot } from "../../src/package-root.ts";

type Json = Record<string, unknown>;
const contract = JSON.parse(
  readFileSync(join(packageRoot, "src/contract/generated/contract.schema.json"), "utf8"),
);

/** Experiments that are good by the schema and by the rules across keys, all over what the schema allows. */
export function goodExperiment(): fc.Arbitrary<Json> {
  return fc
    .record({
      varied: fc.subarray(
        settingKeys.filter(
          (key) => !key.startsWith("fusion.") && !["limits.test", "training.warmup_fraction"].includes(key),
        ),
        { maxLength: 4 },
      ),
      set: fc.subarray(settingKeys.filter((key) => key !== "preset" && key !== "limits.test")),
      switches: fc.boolean(),
    })
    .chain(({ varied, set, switches }) => {
      // The switches belong to a fusion that has them.
      const wanted = switches
        ? [...varied.filter((key) => !["fusion", "preset"].includes(key)), "fusion.text"]
        : varied;
      const vary = wanted.slice(-4);
      // A key is varied or set. The presets differ in this one, so that two of them are never the same setting.
      const kept = vary.includes("preset") ? ["training.warmup_fraction", ...vary] : vary;
      const plain = set.filter((key) => !key.startsWith("fusion") && !kept.includes(key));
      return fc.record(
        {
          $schema: fc.string(),
          name,
          question: fc.string({ minLength: 8, maxLength: 80 }),
          preset: fc.constantFrom("default", ...(switches ? [] : ["reference"])),
          dataset: fc.record(
            {
              name: fc.constant("demo"),
              split_by: fc.constant("umd"),
              size: fc.constantFrom("full", "small"),
            },
            { requiredKeys: [] },
          ),
          backbone: fc.constantFrom(
            {},
            { name: "cliprpn-tiny", weights: "shipped" },
            { name: "RN50-quickgelu" },
            { name: "RN50-quickgelu", weights: "openai" },
          ),
          settings: settings(plain, !vary.includes("fusion") && !switches),
          vary: fc.record(Object.fromEntries(vary.map((key) => [key, values(key)]))),
          also: alsoArbitrary(vary),
          seeds: fc.uniqueArray(fc.integer({ min: 0, max: 4294967295 }), { minLength: 1, maxLength: 4 }),
          num_threads: fc.integer({ min: 1, max: 1024 }),
          published: fc.array(published, { maxLength: 2 }),
        },
        { requiredKeys: ["name", "question"] },
      );
    });
}

const settingKeys: string[] = Object.keys(contract.$defs.Vary.properties);

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);

const published = fc.record({
  metric: fc.constantFrom("acc_at_50", "miou"),
  split: fc.constantFrom("val", "test"),
  low: fc.double({ min: 0, max: 0.5, noNaN: true }),
  high: fc.double({ min: 0.5, max: 1, noNaN: true }),
  source: fc.string(),
  verified: fc.boolean(),
});

const made = new Map<string, fc.Arbitrary<unknown>>();

/** A value that a key may have; made once, since making is what takes time. */
function oneValue(key: string): fc.Arbitrary<unknown> {
  const known = made.get(key) ?? makeValue(key);
  made.set(key, known);
  return known;
}

function makeValue(key: string): fc.Arbitrary<unknown> {
  if (key === "fusion") return fc.constantFrom(...fusions);
  // Within these, any two go together and with both presets' own.
  if (key === "rpn.fg_iou_thresh") return fc.double({ min: 0.5, max: 1, noNaN: true });
  if (key === "rpn.bg_iou_thresh") return fc.double({ min: 0.01, max: 0.5, noNaN: true });
  if (key === "neck_channels")
    return fc.oneof(
      fc.constant(null),
      fc.integer({ min: 1, max: 256 }).map((count) => count * 16),
    );
  return ofSchema(contract.$defs.Vary.properties[key].items);
}

const fusions = [
  "concatenation",
  "cross_attention",
  "film",
  "token_attention",
  { text: "words", interaction: "additive", coordinates: "on" },
  { file: join(packageRoot, "experiments/my-fusion/my_fusion.py:MyFusion") },
  {
    file: join(packageRoot, "experiments/my-fusion/my_fusion.py:MyFusion"),
    params: { sharpness: 2.5, deep: { a: [1] } },
  },
];

function values(key: string): fc.Arbitrary<unknown[]> {
  return fc.uniqueArray(oneValue(key), {
    minLength: 1,
    maxLength: 3,
    selector: (value) => JSON.stringify(value),
  });
}

function settings(keys: string[], withFusion: boolean): fc.Arbitrary<Json> {
  const flat = fc.record(
    Object.fromEntries([...keys, ...(withFusion ? ["fusion"] : [])].map((key) => [key, oneValue(key)])),
  );
  return flat.map((chosen) => {
    const nested: Json = {};
    for (const [key, value] of Object.entries(chosen)) {
      const [head = "", inner] = key.split(".");
      nested[head] = inner === undefined ? value : { ...(nested[head] ?? {}), [inner]: value };
    }
    return nested;
  });
}

/** Each with a limit of its own, so that no two are the same setting. */
function alsoArbitrary(vary: string[]): fc.Arbitrary<Json[]> {
  const keys = vary.filter((key) => !key.startsWith("fusion.") && key !== "limits.test");
  const one = fc.record(Object.fromEntries(keys.map((key) => [key, oneValue(key)])), { requiredKeys: [] });
  return fc
    .array(one, { maxLength: 3 })
    .map((all) => all.map((setting, index) => ({ ...setting, "limits.test": 1000 + index })));
}

/** Whatever fits a schema of one value. */
function ofSchema(schema: Json): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return ofSchema(contract.$defs[String(schema.$ref).replace("#/$defs/", "")]);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const types = [schema.type].flat();
  return fc.oneof(...types.map((type) => ofType(String(type), schema)));
}

function ofType(type: string, schema: Json): fc.Arbitrary<unknown> {
  const min = Number(schema.minimum ?? schema.exclusiveMinimum ?? 0);
  const max = Number(schema.maximum ?? 1e6);
  if (type === "null") return fc.constant(null);
  if (type === "boolean") return fc.boolean();
  if (type === "integer") {
    const step = Number(schema.multipleOf ?? 1);
    return fc
      .integer({ min: Math.ceil(min / step), max: Math.floor(max / step) })
      .map((count) => count * step);
  }
  if (type === "number")
    return fc.double({ min, max, minExcluded: schema.exclusiveMinimum !== undefined, noNaN: true });
  if (type === "array") return fc.uniqueArray(ofSchema(Object(schema.items)), { minLength: 1, maxLength: 4 });
  throw new Error(`no arbitrary for ${type}`);
}
