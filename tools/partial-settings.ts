/** A JSON Schema, or a part of one. */
export type Schema = { [keyword: string]: unknown; $defs?: Record<string, Schema>; title?: string };

export type Defs = Record<string, Schema>;
const groups = ["Anchors", "Rpn", "Training", "Limits"];
const switches = ["text", "interaction", "coordinates"];

/** `Settings` as written in an experiment file: every key is optional, fusion and detector may be names. Generated, so that no key is missing. */
export function partialSettings(defs: Defs): Defs {
  const partial: Defs = { PartialSettings: optional(def(defs, "Settings"), "PartialSettings") };
  for (const group of groups) partial[`Partial${group}`] = optional(def(defs, group), `Partial${group}`);
  const properties = propertiesOf(def(partial, "PartialSettings"));
  properties.fusion = { $ref: "#/$defs/FusionChoice" };
  for (const [key, value] of Object.entries(properties)) {
    const group = groupOf(value);
    if (group !== undefined) properties[key] = { $ref: `#/$defs/Partial${group}` };
  }
  properties.baseline = { $ref: "#/$defs/PartialBaseline" };
  partial.PartialBaseline = optional(def(defs, "BaselineSettings"), "PartialBaseline");
  propertiesOf(partial.PartialBaseline).detector = { $ref: "#/$defs/DetectorChoice" };
  return partial;
}

/** Every key that may vary, with dots: `Setting`, an entry of `also`, gives each one value, `Vary` a list of values. */
export function settingKeys(defs: Defs): Defs {
  const keys: Defs = { preset: { $ref: "#/$defs/Preset" } };
  for (const [key, value] of Object.entries(propertiesOf(def(defs, "Settings")))) {
    const group = groupOf(value);
    if (key === "fusion") keys[key] = { $ref: "#/$defs/FusionChoice" };
    else if (group === undefined) keys[key] = value;
    else {
      for (const [inner, schema] of Object.entries(propertiesOf(def(defs, group))))
        keys[`${key}.${inner}`] = schema;
    }
  }
  const fusion = propertiesOf(def(defs, "FusionObject"));
  for (const key of switches) keys[`fusion.${key}`] = def(fusion, key);
  for (const [key, schema] of Object.entries(propertiesOf(def(defs, "BaselineSettings"))))
    keys[`baseline.${key}`] = key === "detector" ? { $ref: "#/$defs/DetectorChoice" } : schema;
  const lists = Object.entries(keys).map(([key, schema]) => [
    key,
    { type: "array", minItems: 1, maxItems: 1000, uniqueItems: true, items: schema },
  ]);
  return {
    Setting: {
      ...closed,
      title: "Setting",
      description: "Keys with dots and their values: one configuration. `label` and `seeds` are its own.",
      properties: { label: { $ref: "#/$defs/Label" }, seeds: { $ref: "#/$defs/Seeds" }, ...keys },
    },
    Vary: {
      ...closed,
      title: "Vary",
      description: "Keys with dots and lists of values; every combination is one configuration.",
      properties: Object.fromEntries(lists),
    },
  };
}

export const closed = { type: "object", additionalProperties: false };

function optional(schema: Schema, title: string): Schema {
  const { required: _, ...rest } = schema;
  return { ...rest, title, properties: { ...propertiesOf(schema) } };
}

function groupOf(schema: Schema): string | undefined {
  const ref = typeof schema.$ref === "string" ? schema.$ref.replace("#/$defs/", "") : "";
  return groups.find((group) => group === ref);
}

export function def(defs: Defs, name: string): Schema {
  const schema = defs[name];
  if (schema === undefined) throw new Error(`the schemas have no definition ${name}`);
  return schema;
}

export function propertiesOf(schema: Schema): Defs {
  return schema.properties as Defs; // Only called for the objects of our own schemas.
}
