import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { packageRoot } from "../../src/package-root.ts";

type Json = Record<string, unknown>;
const contract = JSON.parse(
  readFileSync(join(packageRoot, "src/contract/generated/contract.schema.json"), "utf8"),
);

/**
 * Valid experiments over everything that the schema allows: grids of ClipRPNs or of baselines, with additional configurations
 * of both kinds in `also`.
 */
export function validExperiment(): fc.Arbitrary<Json> {
  return fc.oneof({ weight: 3, arbitrary: gridOfClipRpns() }, { weight: 2, arbitrary: gridOfBaselines() });
}

function gridOfClipRpns(): fc.Arbitrary<Json> {
  return fc
    .record({
      varied: fc.subarray(
        clipRpnKeys.filter(
          (key) => !key.startsWith("fusion.") && !["limits.test", "training.warmup_fraction"].includes(key),
        ),
        { maxLength: 4 },
      ),
      set: fc.subarray(clipRpnKeys.filter((key) => key !== "preset" && key !== "limits.test")),
      setBaselineKeys: fc.subarray(baselineKeys),
      switches: fc.boolean(),
    })
    .chain(({ varied, set, setBaselineKeys, switches }) => {
      // Switches are only valid for a fusion that has them.
      const wanted = switches
        ? [...varied.filter((key) => !["fusion", "preset"].includes(key)), "fusion.text"]
        : varied;
      const vary = wanted.slice(-4);
      // A key is either varied or set. The presets differ in this one, so that they never give the same configuration.
      const kept = vary.includes("preset") ? ["training.warmup_fraction", ...vary] : vary;
      const plain = set.filter((key) => !key.startsWith("fusion") && !kept.includes(key));
      return record({
        preset: fc.constantFrom("default", ...(switches ? [] : ["reference"])),
        settings: settings([...plain, ...setBaselineKeys], !vary.includes("fusion") && !switches),
        vary: fc.record(Object.fromEntries(vary.map((key) => [key, values(key)]))),
        also: alsoArbitrary(
          vary.filter((key) => !key.startsWith("fusion.")),
          baselineKeys,
        ),
      });
    });
}

function gridOfBaselines(): fc.Arbitrary<Json> {
  return fc
    .record({
      varied: fc.subarray(baselineKeys, { minLength: 1, maxLength: 4 }),
      set: fc.subarray(baselineKeys),
    })
    .chain(({ varied, set }) =>
      record({
        settings: settings(
          set.filter((key) => !varied.includes(key)),
          false,
        ),
        vary: fc.record(Object.fromEntries(varied.map((key) => [key, values(key)]))),
        also: alsoArbitrary(["training.num_epochs", "fusion"], varied),
      }),
    );
}

function record(parts: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Json> {
  const all = {
    $schema: fc.string(),
    name,
    question: fc.string({ minLength: 8, maxLength: 80 }),
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
    seeds: fc.uniqueArray(fc.integer({ min: 0, max: 4294967295 }), { minLength: 1, maxLength: 4 }),
    num_threads: fc.integer({ min: 1, max: 1024 }),
    keep_models: fc.constantFrom("all", "best", "none"),
    smallest_difference: fc.double({ min: 0, max: 100, minExcluded: true, noNaN: true }),
    alpha: fc.double({ min: 0, max: 0.5, minExcluded: true, maxExcluded: true, noNaN: true }),
    published: fc.array(published, { maxLength: 2 }),
    ...parts,
  };
  return fc.record(all, { requiredKeys: ["name", "question"] }).map(dropUnusedSettings);
}

/** Drops settings of baselines, or of ClipRPNs, when no configuration uses them. */
function dropUnusedSettings(experiment: Json): Json {
  const [vary, also] = [Object(experiment.vary), [experiment.also ?? []].flat().map(Object)];
  const settings = [...(Object.keys(vary).length > 0 || also.length === 0 ? [vary] : []), ...also];
  const kinds = settings.map((keys) => Object.keys(keys).some((key) => key.startsWith("baseline.")));
  const {
    settings: { baseline, ...clipRpnSettings } = Object(undefined),
    preset,
    ...others
  } = Object(experiment);
  return {
    ...others,
    ...(preset !== undefined && kinds.includes(false) ? { preset } : {}),
    settings: {
      ...(kinds.includes(false) ? clipRpnSettings : {}),
      ...(baseline !== undefined && kinds.includes(true) ? { baseline } : {}),
    },
  };
}

const settingKeys: string[] = Object.keys(contract.$defs.Vary.properties);
const clipRpnKeys = settingKeys.filter((key) => !key.startsWith("baseline."));
const baselineKeys = settingKeys.filter((key) => key.startsWith("baseline."));

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);

const published = fc.record({
  metric: fc.constantFrom("acc_at_50", "miou"),
  split: fc.constantFrom("val", "test"),
  low: fc.double({ min: 0, max: 0.5, noNaN: true }),
  high: fc.double({ min: 0.5, max: 1, noNaN: true }),
  source: fc.string(),
  verified: fc.boolean(),
});

const arbitraries = new Map<string, fc.Arbitrary<unknown>>();

/** A value for a key; each arbitrary is created once, because creating it is slow. */
function oneValue(key: string): fc.Arbitrary<unknown> {
  const arbitrary = arbitraries.get(key) ?? makeValue(key);
  arbitraries.set(key, arbitrary);
  return arbitrary;
}

function makeValue(key: string): fc.Arbitrary<unknown> {
  if (key === "fusion") return fc.constantFrom(...fusions);
  if (key === "baseline.detector") return fc.constantFrom(...detectors);
  // True needs boxes with a class, which not all detectors have.
  if (key === "baseline.category_prior") return fc.constant(false);
  if (key === "baseline.templates")
    return fc.uniqueArray(fc.constantFrom("{}", "a photo of {}", "the {}."), {
      minLength: 1,
    });
  // Within these ranges, any two are valid together, and with both presets.
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

/** All distinct on the demo. */
const detectors = [
  "yolo",
  { kind: "trained_yolo", num_epochs: 3 },
  { kind: "trained_yolo", image_size_px: 640 },
  "faster_rcnn",
  { kind: "faster_rcnn", variant: "mobilenet_v3_large_320_fpn", weights: "coco" },
  { kind: "file", file: join(packageRoot, "package.json") },
  { kind: "rpn", model: join(packageRoot, "python/cliprpn/storage/weights/cliprpn-tiny.safetensors") },
  { kind: "gt_boxes" },
  "whole_image",
];

/** Each has a different limit, so that no two are the same configuration. */
function alsoArbitrary(...kinds: string[][]): fc.Arbitrary<Json[]> {
  const settings = kinds.map((keys) =>
    fc.record(Object.fromEntries(keys.map((key) => [key, oneValue(key)])), { requiredKeys: [] }),
  );
  return fc
    .array(fc.oneof(...settings), { maxLength: 3 })
    .map((all) =>
      all.map((setting, index) => ({ ...setting, ...ownKeys(setting, index), "limits.test": 1000 + index })),
    );
}

/** A label for every second entry, and seeds for those that train, except the first: another one must use the file's. */
function ownKeys(setting: object, index: number): object {
  const isBaseline = Object.keys(setting).some((key) => key.startsWith("baseline."));
  return {
    ...(index % 2 === 0 ? { label: `Entry ${index} <é>` } : {}),
    ...(index > 0 && !isBaseline ? { seeds: [7, index] } : {}),
  };
}

/** Any value that is valid for a schema. */
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
