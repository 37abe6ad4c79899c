import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { packageRoot } from "../base/package-root.ts";
import { CliprpnError } from "./errors.ts";
import type * as contract from "./generated/types.ts";
import type { BridgeMethods } from "./generated/types.ts";

/** What can be checked by name. */
export interface Checked {
  Experiment: contract.Experiment;
  TrialSpec: contract.TrialSpec;
  BaselineSpec: contract.BaselineSpec;
  TrialEvent: contract.TrialEvent;
  TrialOutcome: contract.TrialOutcome;
  JournalEntry: contract.JournalEntry;
  StoredPlan: contract.StoredPlan;
  Summary: contract.Summary;
  Envelope: contract.Envelope;
  PreparedDataset: contract.PreparedDataset;
  PixelsManifest: contract.PixelsManifest;
  PixelShard: contract.PixelShard;
  WantedImages: contract.WantedImages;
}

/**
 * The value, once it has been found to be a `name`.
 *
 * @param where what the value is and where it came from, for the error.
 * @throws CliprpnError `contract_violation` that names the first place where it is not.
 */
export function check<Name extends keyof Checked>(name: Name, value: unknown, where: string): Checked[Name] {
  const errors = problems(name, value);
  const [first] = errors;
  if (first === undefined) return value as Checked[Name];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new CliprpnError(
    "contract_violation",
    `${where}${first.instancePath || "/"}: ${first.message}${more}`,
  );
}

/**
 * What goes over the bridge, once it has been found to be what the method takes or gives.
 *
 * @throws CliprpnError `contract_violation`.
 */
export function checkMessage<M extends keyof BridgeMethods, End extends "params" | "result">(
  method: M,
  end: End,
  value: unknown,
): BridgeMethods[M][End] {
  const validate = validator(`BridgeMethods/properties/${method}/properties/${end}`);
  if (validate(value)) return value as BridgeMethods[M][End];
  const [first] = validate.errors ?? [];
  throw new CliprpnError(
    "contract_violation",
    `${end} of ${method}${first?.instancePath || "/"}: ${first?.message}`,
  );
}

/** Every way in which the value is not a `name`; empty when it is one. */
export function problems(name: keyof Checked, value: unknown): ErrorObject[] {
  const validate = validator(name);
  return validate(value) ? [] : (validate.errors ?? []);
}

const validators = new Map<string, ValidateFunction>();
let ajv: Ajv2020 | undefined;

function validator(name: string): ValidateFunction {
  const known = validators.get(name);
  if (known !== undefined) return known;
  ajv ??= new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    discriminator: true,
    verbose: true,
  }).addSchema(
    JSON.parse(readFileSync(join(packageRoot, "src/contract/generated/contract.schema.json"), "utf8")),
  );
  const validate = ajv.compile({ $ref: `cliprpn#/$defs/${name}` });
  validators.set(name, validate);
  return validate;
}
