/** A JSON Schema in words: `a number in (0, 1]`, `a list of 1 to 16 values`. */
export function expectation(schema: Record<string, unknown>): string {
  const allowed = list(schema.enum);
  if (allowed.length > 0) return orList(allowed.map(String));
  const types = list(schema.type).map(String);
  const words = types.map((type) => ofType(type, schema));
  return words.length > 0 ? orList(words) : String(schema.description ?? "something else");
}

function ofType(type: string, schema: Record<string, unknown>): string {
  switch (type) {
    case "integer":
      return `a whole number${range(schema)}`;
    case "number":
      return `a number${range(schema)}`;
    case "array":
      return `a list${counts(schema, "minItems", "maxItems", "values")}`;
    case "string":
      return text(schema);
    default:
      return plainTypes[type] ?? type;
  }
}

const plainTypes: Record<string, string> = {
  boolean: "true or false",
  object: "an object {...}",
  null: "null",
};

function range(schema: Record<string, unknown>): string {
  const multiple = schema.multipleOf === undefined ? "" : `, a multiple of ${schema.multipleOf}`;
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  if (low !== undefined && high !== undefined) {
    const [left, right] = [
      schema.minimum === undefined ? "(" : "[",
      schema.maximum === undefined ? ")" : "]",
    ];
    return ` in ${left}${low}, ${high}${right}${multiple}`;
  }
  if (low !== undefined) return ` ${schema.minimum === undefined ? ">" : ">="} ${low}${multiple}`;
  if (high !== undefined) return ` ${schema.maximum === undefined ? "<" : "<="} ${high}${multiple}`;
  return multiple;
}

function text(schema: Record<string, unknown>): string {
  const pattern = schema.pattern;
  if (typeof pattern === "string") return patterns[pattern] ?? `text like ${pattern}`;
  return `text${counts(schema, "minLength", "maxLength", "characters")}`;
}

const patterns: Record<string, string> = {
  "^[a-z0-9][a-z0-9-]{0,62}$": "a name of at most 63 small letters, digits and dashes",
  "^[a-z0-9][a-z0-9_.-]{0,62}$": "a name of at most 63 small letters, digits, dots, dashes and underscores",
  "^.+\\.py:[A-Za-z_][A-Za-z0-9_]*$": "a file and a class, my_fusion.py:MyFusion",
  "^[^{}]*\\{\\}[^{}]*$": "text with one {} in it, where the sentence goes",
};

function counts(schema: Record<string, unknown>, low: string, high: string, what: string): string {
  const [least, most] = [schema[low], schema[high]];
  if (least !== undefined && most !== undefined) return ` of ${least} to ${most} ${what}`;
  if (least !== undefined) return ` of at least ${least} ${what}`;
  return most === undefined ? "" : ` of at most ${most} ${what}`;
}

function orList(words: string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
