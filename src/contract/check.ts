import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { packageRoot } from "../package-root.ts";
import { CliprpnError } from "./errors.ts";
import type * as contract from "./generated/types.ts";

/** What can be checked by name. */
export interface Checked {
  Experiment: contract.Experiment;
  TrialSpec: contract.TrialSpec;
  TrialEvent: contract.TrialEvent;
  TrialOutcome: contract.TrialOutcome;
  JournalEntry: contract.JournalEntry;
  Summary: contract.Summary;
  Envelope: contract.Envelope;
  HelloParams: contract.HelloParams;
  HelloResult: contract.HelloResult;
  RunTrialParams: contract.RunTrialParams;
  RunTrialResult: contract.RunTrialResult;
  IndexDatasetParams: contract.IndexDatasetParams;
  IndexDatasetResult: contract.IndexDatasetResult;
  CheckFusionParams: contract.CheckFusionParams;
  CheckFusionResult: contract.CheckFusionResult;
  EvaluateParams: contract.EvaluateParams;
  EvaluateResult: contract.EvaluateResult;
  SummarizeParams: contract.SummarizeParams;
  GroundParams: contract.GroundParams;
  GroundResult: contract.GroundResult;
  ImportCheckpointParams: contract.ImportCheckpointParams;
  ImportCheckpointResult: contract.ImportCheckpointResult;
  GoldenParams: contract.GoldenParams;
  GoldenResult: contract.GoldenResult;
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
