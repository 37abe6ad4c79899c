import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { partialSettings, type Schema, settingKeys } from "./partial-settings.ts";
import { storedSettings } from "./stored-settings.ts";

/** Bundles all schemas of a folder as the `$defs` of one, so that each type is generated once per language. */
export function bundleSchemas(folder: string): Schema {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".schema.json"))
    .sort();
  const schemas = new Map(files.map((name) => [name, readSchema(join(folder, name))]));
  const defs: Record<string, Schema> = {};
  for (const [name, schema] of schemas) {
    const { $schema: _, $id: __, $defs: fileDefs = {}, ...root } = schema;
    add(defs, titleOf(schema, name), root);
    for (const [key, def] of Object.entries(fileDefs)) add(defs, key, def);
  }
  const titles = new Map([...schemas].map(([name, schema]) => [name, titleOf(schema, name)]));
  const local = Object.fromEntries(
    Object.entries(defs).map(([key, def]) => [key, withLocalRefs(def, titles)]),
  );
  Object.assign(local, partialSettings(local), settingKeys(local), storedSettings(local));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $id: "cliprpn",
    title: "Contract",
    $defs: local,
  };
}

/** A schema of some definitions of the bundle and all definitions that they refer to. */
export function extractSchema(contract: Schema, ...names: string[]): Schema {
  const defs = contract.$defs ?? {};
  const needed = new Set(names);
  const visit = (key: string): void => {
    for (const [, ref] of JSON.stringify(defs[key]).matchAll(/"#\/\$defs\/([A-Za-z]+)"/g)) {
      if (ref !== undefined && !needed.has(ref)) {
        needed.add(ref);
        visit(ref);
      }
    }
  };
  for (const name of names) visit(name);
  const $defs = Object.fromEntries([...needed].sort().map((key) => [key, defs[key] ?? {}]));
  return { $schema: "https://json-schema.org/draft/2020-12/schema", $defs };
}

function readSchema(file: string): Schema {
  return JSON.parse(readFileSync(file, "utf8"));
}

function titleOf(schema: Schema, name: string): string {
  if (schema.title === undefined) throw new Error(`${name}: expected a title, found none`);
  return schema.title;
}

function add(defs: Record<string, Schema>, key: string, def: Schema): void {
  if (key in defs) throw new Error(`two schemas have the title ${key}; titles must be unique`);
  defs[key] = def;
}

function withLocalRefs<T>(value: T, titles: Map<string, string>): T;
function withLocalRefs(value: unknown, titles: Map<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withLocalRefs(item, titles));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "$ref" && typeof item === "string" ? localRef(item, titles) : withLocalRefs(item, titles),
    ]),
  );
}

function localRef(ref: string, titles: Map<string, string>): string {
  const [file = "", pointer] = ref.split("#");
  if (pointer !== undefined) return `#${pointer}`;
  const title = titles.get(file);
  if (title === undefined) throw new Error(`${ref}: no such schema`);
  return `#/$defs/${title}`;
}
