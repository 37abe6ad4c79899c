import { closed, type Defs, def, propertiesOf, type Schema } from "./partial-settings.ts";

/**
 * `Settings` and `BaselineSettings` as stored in a trial's spec.json: a fusion's file is its class (its source lies in the
 * trial's folder), and a detector's file is its SHA-256. Generated, so that no key is missing.
 */
export function storedSettings(defs: Defs): Defs {
  const fusion = storedUnion(defs, "Fusion", "StoredFusion", {
    class: { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
  });
  const detector = storedUnion(defs, "Detector", "StoredDetector", {});
  return {
    ...fusion,
    ...detector,
    StoredSettings: withProperty(def(defs, "Settings"), "StoredSettings", "fusion", "StoredFusion"),
    StoredBaseline: withProperty(
      def(defs, "BaselineSettings"),
      "StoredBaseline",
      "detector",
      "StoredDetector",
    ),
  };
}

/** A union whose members have `instead` in place of the property `file`. */
function storedUnion(defs: Defs, name: string, title: string, instead: Defs): Defs {
  const union = def(defs, name);
  const members = (union.oneOf as { $ref: string }[]).map(({ $ref }) => $ref.replace("#/$defs/", ""));
  const changed = members.filter((member) => "file" in propertiesOf(def(defs, member)));
  const stored = changed.map((member): [string, Schema] => [
    `Stored${member}`,
    withoutFile(def(defs, member), `Stored${member}`, instead),
  ]);
  const oneOf = members.map((member) => ({
    $ref: `#/$defs/${changed.includes(member) ? "Stored" : ""}${member}`,
  }));
  return { ...Object.fromEntries(stored), [title]: { ...union, title, oneOf } };
}

function withoutFile(schema: Schema, title: string, instead: Defs): Schema {
  const { file: _, ...properties } = propertiesOf(schema);
  const required = [schema.required].flat().flatMap((key) => (key === "file" ? Object.keys(instead) : [key]));
  return { ...schema, ...closed, title, required, properties: { ...properties, ...instead } };
}

function withProperty(schema: Schema, title: string, key: string, type: string): Schema {
  return { ...schema, title, properties: { ...propertiesOf(schema), [key]: { $ref: `#/$defs/${type}` } } };
}
